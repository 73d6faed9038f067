//! Responses that something on the way has compressed. The transport here is a custom one, which undoes nothing.

use arize_api_keys::Outcome::{Applied, Unknown};
use arize_api_keys::{Error, ExposeSecret, TransportErrorKind};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

use crate::support::script::{
    Answer, CREATED, LIST, NEW_KEY, Rig, Verb, Want, again, check, everything, json, once, problem, row,
};

/// The flags of a gzip header, and the fields that they announce.
const HEADERS: [(u8, &[u8]); 6] = [
    (0, b""),
    (1, b""),
    (2, b"\x12\x34"),
    (4, b"\x03\x00abc"),
    (8, b"name\0"),
    (31, b"\x01\x00xname\0comment\0\x12\x34"),
];

fn member(flags: u8, fields: &[u8], body: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let head = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
    let length = u32::try_from(body.len()).unwrap();
    [&head, fields, &compress_to_vec(body, 6), &(!crc).to_le_bytes(), &length.to_le_bytes()].concat()
}

fn gzip(body: impl AsRef<[u8]>) -> Vec<u8> {
    member(0, b"", body.as_ref())
}

fn encoded(coding: &str, body: impl Into<Vec<u8>>) -> Answer {
    json(200, body).header("content-encoding", coding)
}

/// One body that is good for every call.
fn body() -> String {
    format!("{}{}", LIST.trim_end_matches('}'), &CREATED.replacen('{', "},", 1))
}

#[test]
fn gzip_and_deflate_are_decoded_under_every_name() {
    let body = body();
    for coding in ["gzip", "GZip", "x-gzip", "X-GZIP", " gzip ", "gzip,", ", gzip"] {
        row(&encoded(coding, gzip(&body)), Want::Done, Want::Done, Want::Done);
    }
    for (flags, fields) in HEADERS {
        row(&encoded("gzip", member(flags, fields, body.as_bytes())), Want::Done, Want::Done, Want::Done);
    }
    let (first, second) = body.split_at(body.len() - 20);
    let members = [gzip(first), gzip(second), b"padding".to_vec()].concat();
    row(&encoded("gzip", members), Want::Done, Want::Done, Want::Done);
    for coding in ["deflate", "Deflate", "DEFLATE"] {
        for level in [0, 1, 6, 10] {
            let zlib = compress_to_vec_zlib(body.as_bytes(), level);
            row(&encoded(coding, zlib), Want::Done, Want::Done, Want::Done);
            // Without the frame of zlib, as some servers send it.
            let bare = compress_to_vec(body.as_bytes(), level);
            row(&encoded(coding, bare), Want::Done, Want::Done, Want::Done);
        }
    }
    // Something has decoded the body and left the header, or wrote the header only.
    for coding in ["gzip", "deflate", "identity", "br"] {
        row(&encoded(coding, body.clone()), Want::Done, Want::Done, Want::Done);
    }
}

#[test]
fn a_refusal_is_decoded_too() {
    let refusal = problem(403, gzip(r#"{"title":"no role"}"#)).header("content-encoding", "gzip");
    for verb in Verb::ALL {
        let error = verb.call(&Rig::forever(verb.stage(), refusal.clone()).client).unwrap_err();
        assert_eq!(error.api().unwrap().title(), Some("no role"));
    }
}

#[track_caller]
fn assert_lost(answer: &Answer, raw: &[u8]) {
    for verb in Verb::MINTING {
        check(verb, answer, once("SecretNotRecovered", Applied));
        let error = verb.call(&Rig::new([answer.clone()]).client).unwrap_err();
        assert!(!everything(&error).contains(NEW_KEY));
        let Error::SecretNotRecovered(lost) = error else { panic!("{error}") };
        assert_eq!(lost.raw_body().expose_secret(), raw);
    }
}

/// A person gets what arrived.
#[test]
fn a_corrupt_body_is_kept_as_it_came() {
    let whole = gzip(body());
    let damaged = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        bytes
    };
    let mut wrong_adler = compress_to_vec_zlib(body().as_bytes(), 6);
    *wrong_adler.last_mut().unwrap() ^= 1;
    for (coding, bytes) in [
        ("gzip", damaged(0)),
        ("gzip", damaged(10)),
        // The checksum.
        ("gzip", damaged(whole.len() - 8)),
        ("gzip", b"garbage".to_vec()),
        ("deflate", wrong_adler),
        ("deflate", whole.clone()),
        ("gzip, gzip", gzip(&whole)),
        ("br", whole.clone()),
        ("zstd", whole.clone()),
    ] {
        let answer = encoded(coding, bytes.clone());
        row(&answer, once("Decode", Applied), once("SecretNotRecovered", Applied), Want::Done);
        assert_lost(&answer, &bytes);
    }
}

/// Level 0 stores the text as it is, so that any part of it can be cut off.
#[test]
fn a_secret_before_the_cut_is_kept() {
    for (coding, whole) in [
        (
            "gzip",
            [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &compress_to_vec(CREATED.as_bytes(), 0), &[0; 8]].concat(),
        ),
        ("deflate", compress_to_vec_zlib(CREATED.as_bytes(), 0)),
    ] {
        let quote = whole.windows(2).position(|pair| pair == b"\"}").unwrap();
        let cut = &whole[..=quote];
        for answer in [encoded(coding, cut), encoded(coding, cut).cut(TransportErrorKind::Interrupted)] {
            for verb in Verb::MINTING {
                check(verb, &answer, Want::Done);
            }
        }
        let rig = Rig::new([encoded(coding, cut)]);
        let created = rig.client.create(&arize_api_keys::CreateRequest::new("n")).unwrap();
        assert!(created.warnings.iter().any(|warning| warning.field == "body"), "{created:?}");
        // A cut inside the secret gives none, and every shorter cut as little.
        for end in 0..=quote - 1 {
            assert_lost(&encoded(coding, &whole[..end]), &whole[..end]);
        }
        check(Verb::List, &encoded(coding, cut).cut(TransportErrorKind::Interrupted), again("Transport", Unknown));
    }
}

/// As in a body that is not compressed, what lies beyond 1 MiB does not count.
#[test]
fn the_output_is_bounded() {
    let zeros = [CREATED.trim_end_matches('}'), ",\"x\":\"", &"0".repeat(2 * 1024 * 1024), "\"}"].concat();
    let behind = zeros.replacen("\"key\"", "\"yek\"", 1).replace("\"x\":", "\"y\":") + CREATED;
    for (coding, early, late) in [
        ("gzip", gzip(&zeros), gzip(&behind)),
        ("deflate", compress_to_vec_zlib(zeros.as_bytes(), 6), compress_to_vec_zlib(behind.as_bytes(), 6)),
    ] {
        row(&encoded(coding, early), once("Decode", Applied), Want::Done, Want::Done);
        assert_lost(&encoded(coding, late.clone()), &late);
    }
    let exact = CREATED.to_owned() + &" ".repeat(1024 * 1024 - CREATED.len());
    for verb in Verb::MINTING {
        check(verb, &encoded("gzip", gzip(&exact)), Want::Done);
    }
}
