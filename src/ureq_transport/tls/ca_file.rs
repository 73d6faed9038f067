//! Files of trusted certificates.

use std::borrow::Cow;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Backend;
use crate::error::ConfigError;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A file of trusted certificates, and the setting that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ureq_transport) struct CaFile {
    pub(in crate::ureq_transport) path: PathBuf,
    pub(in crate::ureq_transport) setting: Cow<'static, str>,
}

impl CaFile {
    /// Whether the file is set for every program on the machine, so that a defect in it must not stop this client.
    fn is_of_machine(&self) -> bool {
        self.setting == "SSL_CERT_FILE"
    }
}

/// The certificates of the file. Defects of a file that is set for the whole machine are logged and skipped.
pub(super) fn read(file: &CaFile) -> Result<Vec<Vec<u8>>, ConfigError> {
    if !file.is_of_machine() {
        return read_strictly(file);
    }
    let path = file.path.display();
    let Ok(pem) = std::fs::read(&file.path) else {
        log::warn!("`SSL_CERT_FILE` names the file {path}, which cannot be read; it is not used");
        return Ok(Vec::new());
    };
    let (certificates, broken) = parse(&pem);
    let total = certificates.len() + broken;
    let usable: Vec<_> = certificates.into_iter().filter(|der| Backend::is_certificate(der)).collect();
    let skipped = total - usable.len();
    if skipped > 0 || usable.is_empty() {
        let used = usable.len();
        log::warn!(
            "`SSL_CERT_FILE` names the file {path}: {used} of its certificates are used, {skipped} cannot be parsed"
        );
    }
    Ok(usable)
}

/// The certificates of the file, in DER, each parsed once: the TLS libraries skip what they cannot read, and then every
/// connection fails without a reason.
fn read_strictly(file: &CaFile) -> Result<Vec<Vec<u8>>, ConfigError> {
    let fault = |problem: String| ConfigError::new(file.setting.clone(), problem);
    let path = file.path.display();
    let pem = std::fs::read(&file.path)
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
        let file = |setting| CaFile { path: path.clone(), setting: Cow::Borrowed(setting) };
        for (content, usable) in [
            (format!("{BEGIN}\nAAAA\n{END}\n{good}"), 1),
            (format!("{good}\n{BEGIN}\n%%%\n{END}\n{good}"), 2),
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
}
