use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::CaFile;
use crate::error::ConfigError;

/// The certificates of the file, each of them parsed: rustls and OpenSSL skip what they cannot read, and then every
/// connection fails for a reason that nobody sees.
pub(super) fn read(file: &CaFile) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let fault = |problem: String| ConfigError::new(file.setting.clone(), problem);
    let path = file.path.display();
    let pem = std::fs::read(&file.path)
        .map_err(|error| fault(format!("names the file {path}, which cannot be read")).with_source(error))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| fault(format!("names the file {path}, which is not valid PEM")))?;
    if certificates.is_empty() {
        return Err(fault(format!("names the file {path}, which holds no PEM certificate")));
    }
    for (index, certificate) in certificates.iter().enumerate() {
        if RootCertStore::empty().add(certificate.clone()).is_err() {
            let position = index + 1;
            return Err(fault(format!("names the file {path}, whose certificate {position} cannot be parsed")));
        }
    }
    Ok(certificates)
}
