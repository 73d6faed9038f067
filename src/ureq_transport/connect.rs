//! Connections, told apart from what is sent over them.

use std::fmt::Debug;

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::failure::BeforeSending;
use super::names::Names;

/// A chain of connectors whose errors say that nothing was sent: ureq's own do not tell a connection that is closed in
/// the handshake from one that is closed after the request.
#[derive(Debug)]
pub(super) struct Connecting<C> {
    chain: C,
    names: Names,
}

impl<C: Connector> Connecting<C> {
    pub(super) fn new(chain: C, names: Names) -> Self {
        Self { chain, names }
    }
}

impl<C: Connector> Connector for Connecting<C> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<C::Out>, Error> {
        self.chain.connect(details, chained).map_err(|error| {
            // The address may have moved.
            if let Some(host) = details.uri.host() {
                self.names.doubt(host);
            }
            BeforeSending::connecting(error)
        })
    }
}
