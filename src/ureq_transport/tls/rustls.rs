//! TLS by rustls.

use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError as Invalid, ClientConfig, ClientConnection, DigitallySignedStruct, InvalidMessage,
    PeerIncompatible, RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::Error;
use ureq::unversioned::transport::TransportAdapter;

use super::Stream;
use super::fault::TlsFault;
use crate::tls::TlsRoots;

pub(super) struct Rustls(Arc<ClientConfig>);

impl Rustls {
    pub(super) fn new(
        extra: &[Vec<u8>],
        roots: TlsRoots,
        accept_invalid_certs: bool,
    ) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        // A program that has chosen a provider, a certified one for instance, means it for every crate.
        let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match roots {
            _ if accept_invalid_certs => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAll(provider)))
            }
            TlsRoots::WebPki => builder.with_root_certificates(web_roots(extra)?),
            TlsRoots::Platform => {
                builder.dangerous().with_custom_certificate_verifier(platform_verifier(extra, &provider)?)
            }
        };
        Ok(Self(Arc::new(builder.with_no_client_auth())))
    }

    pub(super) fn connect(&self, name: &str, mut connection: TransportAdapter) -> Result<RustlsStream, Error> {
        let name = ServerName::try_from(name.to_owned()).map_err(|_| io::Error::from(TlsFault::WrongName))?;
        let session = ClientConnection::new(Arc::clone(&self.0), name);
        let mut session = session.map_err(|error| io::Error::from(fault(&error)))?;
        session.complete_io(&mut connection).map_err(|error| in_words(error, fault))?;
        Ok(RustlsStream(StreamOwned::new(session, connection)))
    }
}

/// Whether rustls can parse the certificate.
pub(super) fn is_certificate(der: &[u8]) -> bool {
    RootCertStore::empty().add(CertificateDer::from_slice(der)).is_ok()
}

/// The roots of Mozilla, and these.
fn web_roots(extra: &[Vec<u8>]) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(CertificateDer::from_slice(certificate))?;
    }
    Ok(roots)
}

#[cfg(feature = "platform-verifier")]
fn platform_verifier(
    extra: &[Vec<u8>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Box<dyn StdError + Send + Sync>> {
    use rustls_platform_verifier::Verifier;

    // First without the extra certificates: with them, roots of the system that cannot be read are no error, and then the
    // file would replace them.
    let system = Verifier::new(Arc::clone(provider))?;
    if extra.is_empty() {
        return Ok(Arc::new(system));
    }
    let extra = extra.iter().map(|der| CertificateDer::from_slice(der).into_owned());
    Ok(Arc::new(Verifier::new_with_extra_roots(extra, Arc::clone(provider))?))
}

#[cfg(not(feature = "platform-verifier"))]
fn platform_verifier(
    _: &[Vec<u8>],
    _: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Box<dyn StdError + Send + Sync>> {
    Err("the roots of the operating system need the feature `platform-verifier`".into())
}

/// The error of a connection, with a failure of TLS in words.
fn in_words(error: io::Error, fault: fn(&rustls::Error) -> TlsFault) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(inner) => fault(inner).into(),
        None => error,
    }
}

fn later_fault(error: &rustls::Error) -> TlsFault {
    fault(error).after_handshake()
}

fn fault(error: &rustls::Error) -> TlsFault {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            Invalid::Expired | Invalid::ExpiredContext { .. } => TlsFault::Expired,
            Invalid::NotValidYet | Invalid::NotValidYetContext { .. } => TlsFault::NotYetValid,
            Invalid::NotValidForName | Invalid::NotValidForNameContext { .. } => TlsFault::WrongName,
            Invalid::UnknownIssuer => TlsFault::UnknownIssuer,
            Invalid::InvalidPurpose | Invalid::InvalidPurposeContext { .. } => TlsFault::WrongPurpose,
            Invalid::Revoked => TlsFault::Revoked,
            // Errors of webpki, whose type is not in the interface of rustls.
            Invalid::Other(error) => match format!("{:?}", error.0).as_str() {
                "CaUsedAsEndEntity" => TlsFault::AuthorityAsServer,
                "EndEntityUsedAsCa" => TlsFault::ServerAsAuthority,
                "UnsupportedCertVersion" => TlsFault::OldCertificate,
                // Of the verifier of the platform.
                "EkuError" => TlsFault::WrongPurpose,
                _ => TlsFault::BadCertificate,
            },
            _ => TlsFault::BadCertificate,
        },
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsFault::NotTls,
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsFault::NoCommonVersion,
        rustls::Error::AlertReceived(alert) => TlsFault::Alert(u8::from(*alert)),
        _ => TlsFault::Broken,
    }
}

pub(super) struct RustlsStream(StreamOwned<ClientConnection, TransportAdapter>);

impl Stream for RustlsStream {
    fn adapter(&mut self) -> &mut TransportAdapter {
        self.0.get_mut()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.0.write_all(bytes).map_err(|error| in_words(error, later_fault))?)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        Ok(self.0.read(buffer).map_err(|error| in_words(error, later_fault))?)
    }
}

/// For `danger_accept_invalid_certs`.
#[derive(Debug)]
struct AcceptAll(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
