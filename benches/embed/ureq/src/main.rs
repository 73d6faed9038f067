//! Lists the keys that the environment gives access to: no deadline, no retry, no second page.

use std::env::{self, VarError};

use serde::Deserialize;
use time::OffsetDateTime;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("a variable is missing")]
    Environment(#[from] VarError),
    #[error("the file of certificates cannot be read")]
    CaFile(#[from] std::io::Error),
    #[error("the call failed")]
    Call(#[from] ureq::Error),
}

#[derive(Debug, Deserialize)]
struct Page {
    api_keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what a careful user types")]
struct Key {
    id: String,
    name: String,
    description: Option<String>,
    key_type: KeyType,
    status: KeyStatus,
    redacted_key: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    created_by_user_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum KeyType {
    User,
    Service,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum KeyStatus {
    Active,
    Revoked,
}

fn main() -> Result<(), Error> {
    let scheme = env::var("ARIZE_API_SCHEME").unwrap_or_else(|_| "https".to_owned());
    let host = env::var("ARIZE_API_HOST").unwrap_or_else(|_| "api.arize.com".to_owned());
    let mut config = ureq::Agent::config_builder();
    if let Ok(file) = env::var("ARIZE_SSL_CA_CERT") {
        let pem = std::fs::read(file)?;
        let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        config = config.tls_config(TlsConfig::builder().root_certs(RootCerts::from(certificates)).build());
    }
    let agent: ureq::Agent = config.build().into();
    let mut response = agent
        .get(format!("{scheme}://{host}/v2/api-keys?limit=50"))
        .header("authorization", format!("Bearer {}", env::var("ARIZE_API_KEY")?))
        .call()?;
    for key in response.body_mut().read_json::<Page>()?.api_keys {
        println!("{}: {} (type={:?} status={:?})", key.id, key.name, key.key_type, key.status);
    }
    Ok(())
}
