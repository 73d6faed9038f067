//! A request from its reading to its response.

use http::Response;

use super::context::Context;
use super::problem::ProblemResponse;
use crate::emulator::account::Account;

/// A request that has been read.
pub(crate) trait ParsedRequest {
    /// Carries it out on the account.
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse>;
}

/// A request that was carried out on the account, before its response is written: that happens without the lock on the
/// account, which other requests wait for.
pub(crate) type Answer = Box<dyn FnOnce() -> Result<Response<Vec<u8>>, ProblemResponse>>;
