//! Lists the keys that the environment gives access to.

use arize_api_keys::{ApiKeysClient, Error, ListRequest};

fn main() -> Result<(), Error> {
    #[cfg(feature = "ureq")]
    let client = ApiKeysClient::from_env()?;
    // Without the default transport the program brings its own; this one has no network at all.
    #[cfg(not(feature = "ureq"))]
    let client = ApiKeysClient::builder()
        .transport(|_: arize_api_keys::http::Request<Vec<u8>>| {
            Ok(arize_api_keys::http::Response::new(br#"{"api_keys":[],"pagination":{"has_more":false}}"#.to_vec()))
        })
        .build()?;
    for key in client.list(&ListRequest::new())?.api_keys {
        println!("{}: {} (type={} status={})", key.id, key.name, key.key_type, key.status);
    }
    Ok(())
}
