//! `PUT /v2/api-keys/{id}/revoke` and, in alpha, `DELETE /v2/api-keys/{id}`

use http::Response;

use super::account::Account;
use super::answer;
use super::context::Context;
use super::problem::Problem;
use super::words::Status;

pub(super) struct RevokeKey {
    pub(super) id: String,
    /// What a repetition gets: a 204 from the PUT, a 404 from the DELETE, which takes the key away.
    pub(super) repeatable: bool,
}

impl RevokeKey {
    pub(super) fn run(self, account: &mut Account, context: &Context<'_>) -> Result<Response<Vec<u8>>, Problem> {
        let key = context.visible_key(account, &self.id)?;
        if key.status == Status::Revoked && !self.repeatable {
            return Err(Problem::not_found("this API key is deleted"));
        }
        if !key.is_revocable_by(&context.caller) {
            return Err(Problem::forbidden("you may not revoke this API key"));
        }
        let number = key.id.number();
        account.revoke(number);
        Ok(answer::nothing())
    }
}
