//! Ids: base64 of `Type:number:suffix`.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{self, GeneralPurpose, GeneralPurposeConfig};
use fastrand::Rng;

/// Reads ids with and without padding: a caller may have removed it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const SUFFIX: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Organization,
    Space,
    User,
    CustomRole,
    ApiKey,
}

const KINDS: [Kind; 5] = [Kind::Organization, Kind::Space, Kind::User, Kind::CustomRole, Kind::ApiKey];

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Organization => "Organization",
            Self::Space => "Space",
            Self::User => "User",
            Self::CustomRole => "CustomRole",
            Self::ApiKey => "ApiKey",
        }
    }
}

/// The id of a record of a [`Store`](super::store::Store). Records are numbered from 1 in the order in which they are made,
/// and their ids sort in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    kind: Kind,
    number: u64,
    suffix: [u8; SUFFIX],
}

impl Id {
    pub(crate) fn new(kind: Kind, number: u64, rng: &mut Rng) -> Self {
        let mut suffix = [0; SUFFIX];
        suffix.fill_with(|| u8::try_from(rng.alphanumeric()).unwrap_or(b'0'));
        let mut id = Self { kind, number, suffix };
        // A text whose length divides by three has no padding to keep or to leave out; one letter less, and it has.
        if id.plain().len().is_multiple_of(3)
            && let Some(last) = id.suffix.last_mut()
        {
            *last = 0;
        }
        id
    }

    /// Reads an id; `None` if `text` is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = String::from_utf8(LENIENT.decode(text).ok()?).ok()?;
        let mut parts = plain.splitn(3, ':');
        let (word, number, letters) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = KINDS.into_iter().find(|kind| kind.word() == word)?;
        let mut suffix = [0; SUFFIX];
        suffix.get_mut(..letters.len())?.copy_from_slice(letters.as_bytes());
        let id = Self { kind, number: number.parse().ok()?, suffix };
        // One id has one text: no `+1` or `01` for `1`.
        (id.plain() == plain).then_some(id)
    }

    pub(crate) fn kind(self) -> Kind {
        self.kind
    }

    pub(crate) fn number(self) -> u64 {
        self.number
    }

    fn plain(self) -> String {
        let letters: String =
            self.suffix.iter().filter(|letter| **letter != 0).map(|letter| char::from(*letter)).collect();
        format!("{}:{}:{letters}", self.kind.word(), self.number)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The service pads all ids but those of organizations.
        let engine = match self.kind {
            Kind::Organization => general_purpose::STANDARD_NO_PAD,
            _ => general_purpose::STANDARD,
        };
        f.write_str(&engine.encode(self.plain()))
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("must be an id, as the emulator writes them"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_but_for_organizations_and_read_either_way() {
        let mut rng = Rng::with_seed(1);
        for number in [1, 22, 333, 4444, 55_555] {
            for kind in KINDS {
                let id = Id::new(kind, number, &mut rng);
                let text = id.to_string();
                assert_eq!(text.ends_with('='), kind != Kind::Organization, "{text}");
                assert_eq!(text.len().is_multiple_of(4), kind != Kind::Organization, "{text}");
                assert!(Id::parse(&text) == Some(id));
                assert!(Id::parse(text.trim_end_matches('=')) == Some(id));
            }
        }
    }

    #[test]
    fn only_its_own_text_is_an_id() {
        let encode = |plain: &str| general_purpose::STANDARD.encode(plain);
        assert!(Id::parse(&encode("Space:3:spc0")).is_some());
        for other in
            ["Space:+3:spc0", "Space:03:spc0", "Space:3", "Space:3:toolong", "Spaces:3:spc0", "Space::spc0", ""]
        {
            assert!(Id::parse(&encode(other)).is_none(), "{other}");
        }
        assert!(Id::parse("prod").is_none());
        assert!(Id::parse("U3BhY2U6MzpzcGMw\n").is_none());
    }
}
