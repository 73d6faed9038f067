//! Files and directories of trusted certificates.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Backend;
use crate::error::ConfigError;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A file or directory of trusted certificates, and the setting that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ureq_transport) struct CaFile {
    pub(in crate::ureq_transport) path: PathBuf,
    pub(in crate::ureq_transport) setting: &'static str,
}

/// The certificates of the files, in DER. Defects of a file or directory that is set for the whole machine, for every program, are
/// logged and skipped.
pub(super) fn read(files: &[CaFile]) -> Result<Vec<Vec<u8>>, ConfigError> {
    let mut certificates = Vec::new();
    for file in files {
        let found = match file.setting {
            "SSL_CERT_FILE" => read_machine_file(&file.path),
            "SSL_CERT_DIR" => read_machine_directory(&file.path),
            _ => read_strictly(file)?,
        };
        // A directory often holds the certificates of the file once more.
        for certificate in found {
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
    }
    Ok(certificates)
}

/// The most bytes of a file of certificates. Those that systems trust have a quarter of a megabyte.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// All of a file. A named FIFO could wait for ever, and a device might never end; a pipe that a shell opened for `<(…)` is read.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    if is_named_fifo(path) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a FIFO, and no file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(FILE_LIMIT).read_to_end(&mut content)?;
    if content.len() as u64 == FILE_LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has 16 MiB or more"));
    }
    Ok(content)
}

#[cfg(unix)]
fn is_named_fifo(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    // The pipe of an open descriptor has no path.
    let real = std::fs::canonicalize(path).and_then(std::fs::symlink_metadata);
    real.is_ok_and(|found| found.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_named_fifo(_: &Path) -> bool {
    false
}

fn read_machine_file(path: &Path) -> Vec<Vec<u8>> {
    let Ok(pem) = content(path) else {
        log::warn!("`SSL_CERT_FILE` names the file {}, which cannot be read; it is not used", path.display());
        return Vec::new();
    };
    let (usable, skipped) = usable(&pem);
    if skipped > 0 || usable.is_empty() {
        let (used, path) = (usable.len(), path.display());
        log::warn!(
            "`SSL_CERT_FILE` names the file {path}: {used} of its certificates are used, {skipped} cannot be parsed"
        );
    }
    usable
}

/// The certificates of every file in the directory. OpenSSL looks for names that are hashes; any other name will do here.
fn read_machine_directory(path: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(path) else {
        log::warn!("`SSL_CERT_DIR` names the directory {}, which cannot be read; it is not used", path.display());
        return Vec::new();
    };
    let (mut certificates, mut skipped) = (Vec::new(), 0);
    // Only files: reading a pipe would wait for a writer.
    for file in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let (usable, broken) = content(&file).map(|pem| usable(&pem)).unwrap_or_default();
        skipped += usize::from(broken > 0 || usable.is_empty());
        certificates.extend(usable);
    }
    if skipped > 0 || certificates.is_empty() {
        let (used, path) = (certificates.len(), path.display());
        log::warn!(
            "`SSL_CERT_DIR` names the directory {path}: {used} certificates are used; {skipped} files are not, or not wholly, \
             PEM certificates"
        );
    }
    certificates
}

/// The certificates that a library can parse, and the number of the others.
fn usable(pem: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (certificates, broken) = parse(pem);
    let total = certificates.len() + broken;
    let usable: Vec<_> = certificates.into_iter().filter(|der| Backend::is_certificate(der)).collect();
    let skipped = total - usable.len();
    (usable, skipped)
}

/// The certificates of the file, in DER, each parsed once: the TLS libraries skip what they cannot read, and then every
/// connection fails without a reason.
fn read_strictly(file: &CaFile) -> Result<Vec<Vec<u8>>, ConfigError> {
    let fault = |problem: String| ConfigError::new(file.setting, problem);
    let path = file.path.display();
    let pem = content(&file.path)
        .map_err(|error| fault(format!("names the file {path}, which cannot be read")).with_source(error))?;
    let (certificates, broken) = parse(&pem);
    if broken > 0 {
        return Err(fault(format!("names the file {path}, which is not valid PEM")));
    }
    if certificates.is_empty() {
        return Err(fault(format!("names the file {path}, which holds no PEM certificate")));
    }
    for (index, certificate) in certificates.iter().enumerate() {
        if !Backend::is_certificate(certificate) {
            let position = index + 1;
            return Err(fault(format!("names the file {path}, whose certificate {position} cannot be parsed")));
        }
    }
    Ok(certificates)
}

/// The certificates of a PEM file (RFC 7468). Text between them is ignored. The second value counts those that are not PEM.
fn parse(pem: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut certificates, mut broken) = (Vec::new(), 0);
    let mut body: Option<String> = None;
    for line in pem.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        match &mut body {
            None if line == BEGIN => body = Some(String::new()),
            None => {}
            Some(text) if line == END => {
                match STANDARD.decode(text.as_str()) {
                    Ok(der) => certificates.push(der),
                    Err(_) => broken += 1,
                }
                body = None;
            }
            Some(text) => text.push_str(line),
        }
    }
    (certificates, broken + usize::from(body.is_some()))
}

#[cfg(feature = "rustls")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_matters_only_in_a_file_for_this_client() {
        let good = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
        let path = std::env::temp_dir().join(format!("arize-api-keys-ca-{}", std::process::id()));
        let file = |setting| [CaFile { path: path.clone(), setting }];
        for (content, usable) in [
            (format!("{BEGIN}\nAAAA\n{END}\n{good}"), 1),
            (format!("{good}\n{BEGIN}\n%%%\n{END}\n{good}"), 1),
            (format!("{good}\n{BEGIN}\nAAAA"), 1),
            ("no certificate".to_owned(), 0),
            (String::new(), 0),
        ] {
            std::fs::write(&path, &content).unwrap();
            assert_eq!(read(&file("SSL_CERT_FILE")).unwrap().len(), usable, "{content}");
            for setting in ["ca_file", "ARIZE_SSL_CA_CERT"] {
                assert!(read(&file(setting)).is_err(), "{content}");
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert!(read(&file("SSL_CERT_FILE")).unwrap().is_empty());
        assert!(read(&file("ca_file")).is_err());
    }

    #[test]
    fn a_directory_of_the_machine_may_hold_anything() {
        let pem = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap().cert.pem();
        let path = std::env::temp_dir().join(format!("arize-api-keys-ca-dir-{}", std::process::id()));
        std::fs::create_dir_all(path.join("directory.pem")).unwrap();
        let directory = [CaFile { path: path.clone(), setting: "SSL_CERT_DIR" }];
        assert!(read(&directory).unwrap().is_empty());
        let (one, two) = (pem("one.example"), pem("two.example"));
        for (name, content) in [
            ("one.pem", one.clone()),
            // The name that `openssl rehash` gives, and a copy under another one.
            ("5ed36f99.0", one.clone()),
            ("bundle", format!("{one}\n{BEGIN}\nAAAA\n{END}\n{two}")),
            ("README", "no certificate".to_owned()),
            ("broken.pem", format!("{BEGIN}\n%%%")),
        ] {
            std::fs::write(path.join(name), content).unwrap();
        }
        assert_eq!(read(&directory).unwrap().len(), 2);
        let file = CaFile { path: path.join("one.pem"), setting: "SSL_CERT_FILE" };
        assert_eq!(read(&[file, directory[0].clone()]).unwrap().len(), 2);
        std::fs::remove_dir_all(&path).unwrap();
        assert!(read(&directory).unwrap().is_empty());
    }
}
