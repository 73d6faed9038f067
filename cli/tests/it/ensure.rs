//! `ensure`: create, nothing to do, renew, refuse.

use serde_json::Value;

use crate::service::{Run, Service};

fn ensure(service: &Service, args: &[&str]) -> Run {
    let usual = ["ensure", "etl", "--owner", "host:/etl.env", "--env-file", ".env", "-o", "json"];
    service.run(&[&usual, args].concat())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.succeeded().out).unwrap()
}

fn stored(service: &Service) -> String {
    service.read(".env").lines().last().unwrap().strip_prefix("ARIZE_API_KEY=").unwrap().to_owned()
}

#[test]
fn the_life_of_a_key() {
    let service = Service::new();
    // The service's clock stands years before the one of the program, which bounds the lifetime.
    let long = ["--lifetime", "3650d"];
    let first = json(&ensure(&service, &long));
    assert_eq!((&first["change"], &first["owner"]), (&"created".into(), &"host:/etl.env".into()));
    let secret = stored(&service);
    assert!(service.emulator.authenticates(&secret));
    let again = json(&ensure(&service, &long));
    assert_eq!((&again["change"], &again["id"]), (&"unchanged".into(), &first["id"]));
    assert_eq!(stored(&service), secret);

    let renewed = json(&ensure(&service, &[&long[..], &["--renew-now"]].concat()));
    assert_eq!((&renewed["change"], &renewed["retired"][0]), (&"renewed".into(), &first["id"]));
    assert!(!service.emulator.authenticates(&secret) && service.emulator.authenticates(&stored(&service)));
    // After the file is lost, a new key replaces the old one.
    std::fs::remove_file(service.path(".env")).unwrap();
    let replaced = json(&ensure(&service, &long));
    assert_eq!((&replaced["change"], &replaced["retired"][0]), (&"renewed".into(), &renewed["id"]));
    assert_eq!(service.files(), [".env"]);
}

#[test]
fn refusals() {
    let service = Service::new();
    service.run(&["ensure", "etl"]).failed(2);
    ensure(&service, &["--lifetime", "10d", "--renew-before", "10d"]).failed(2);
    ensure(&service, &["--owner", " "]).failed(2);
    let foreign = service.key("somebody's");
    let secret = arize_api_keys::ExposeSecret::expose_secret(&foreign.key);
    service.write("key", secret, 0o600);
    let run =
        service.run(&["ensure", "etl", "--owner", "o", "--out", "key", "--lifetime", "3650d", "--replace-stored"]);
    run.succeeded();
    assert!(service.emulator.authenticates(secret), "the key of somebody else still works");
}
