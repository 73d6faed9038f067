//! A request of the API, before it has an origin.

use http::Method;

use crate::operation::Operation;
use crate::request_target::RequestTarget;

/// The request of a verb to the pipeline.
pub(crate) struct ApiRequest {
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) target: RequestTarget,
    pub(crate) body: Option<Vec<u8>>,
    /// The name or id of the key, for messages.
    pub(crate) subject: Option<String>,
}

impl ApiRequest {
    /// A request without a body.
    pub(crate) fn get(operation: Operation, target: RequestTarget) -> Self {
        Self { operation, method: Method::GET, target, body: None, subject: None }
    }
}
