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

/// The certificates of the file, in DER, each parsed once: the TLS libraries skip what they cannot read, and then every
/// connection fails without a reason.
pub(super) fn read(file: &CaFile) -> Result<Vec<Vec<u8>>, ConfigError> {
    let fault = |problem: String| ConfigError::new(file.setting.clone(), problem);
    let path = file.path.display();
    let pem = std::fs::read(&file.path)
        .map_err(|error| fault(format!("names the file {path}, which cannot be read")).with_source(error))?;
    let certificates = parse(&pem).ok_or_else(|| fault(format!("names the file {path}, which is not valid PEM")))?;
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

/// The certificates of a PEM file (RFC 7468). Text between them is ignored. `None` if one of them is not PEM.
fn parse(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut certificates = Vec::new();
    let mut body: Option<String> = None;
    for line in pem.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        match &mut body {
            None if line == BEGIN => body = Some(String::new()),
            None => {}
            Some(text) if line == END => {
                certificates.push(STANDARD.decode(text.as_str()).ok()?);
                body = None;
            }
            Some(text) => text.push_str(line),
        }
    }
    body.is_none().then_some(certificates)
}
