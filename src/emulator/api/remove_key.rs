//! `PUT /v2/api-keys/{id}/revoke` and, in alpha, `DELETE /v2/api-keys/{id}`

use super::context::Context;
use super::parsed_request::{Answer, ParsedRequest};
use super::problem::ProblemResponse;
use super::responses;
use crate::emulator::account::Account;
use crate::emulator::account::enums::Status;

pub(crate) struct RemoveKey {
    pub(crate) id: String,
    /// The response to a repetition: a 204 from the PUT, a 404 from the DELETE, which takes the key away.
    pub(crate) repeatable: bool,
}

impl ParsedRequest for RemoveKey {
    fn run(self: Box<Self>, account: &mut Account, context: &Context<'_>) -> Result<Answer, ProblemResponse> {
        let key = context.visible_key(account, &self.id)?;
        if key.status == Status::Revoked && !self.repeatable {
            return Err(ProblemResponse::not_found("this API key is deleted"));
        }
        if !key.is_revocable_by(&context.caller) {
            return Err(ProblemResponse::forbidden("you may not revoke this API key"));
        }
        let id = key.id;
        account.revoke(id);
        Ok(Box::new(|| Ok(responses::nothing())))
    }
}
