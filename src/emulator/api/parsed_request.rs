//! A request from its reading to its response.

use http::Response;

use super::context::Context;
use super::problem::ProblemResponse;
use crate::emulator::account::Account;

/// A request that has been read.
pub(crate) trait ParsedRequest {
    /// Applies the request to the account.
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse>;
}

/// Writes the response to a request that was applied. It runs without the lock on the account, which other requests
/// wait for.
pub(crate) type Answer = Box<dyn FnOnce() -> Result<Response<Vec<u8>>, ProblemResponse>>;
