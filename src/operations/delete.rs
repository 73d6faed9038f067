//! Remove a key: `PUT /v2/api-keys/{id}/revoke`, and on the alpha stage `DELETE /v2/api-keys/{id}`.

use http::{Method, StatusCode};

use crate::error::{Error, InvalidRequest, Outcome};
use crate::json::{ReadMembers, Slot, read_available_members};
use crate::operation::Operation;
use crate::operations::api_keys;
use crate::pipeline::{ApiRequest, ApiResponse, CallScope, DecodeFailure};
use crate::stage::ApiStage;

/// Removes a key with the verb of the stage.
pub(crate) fn send(scope: &CallScope<'_>, id: &str) -> Result<(), Error> {
    let request = to_request(scope.settings().stage, id)?;
    let is_delete = request.method == Method::DELETE;
    match scope.run(&request, decode) {
        // An earlier attempt may have deleted the key and its response was lost. Then the service, not a gateway,
        // responds to the next attempt with 404.
        Err(Error::NotFound(error)) if is_delete && error.outcome() == Outcome::Unknown && !error.is_foreign() => {
            Ok(())
        }
        result => result,
    }
}

/// Revokes a key, with the same request on both stages.
pub(crate) fn send_revoke(scope: &CallScope<'_>, id: &str) -> Result<(), Error> {
    scope.run(&put_revoke(Operation::Revoke, id)?, decode)
}

fn to_request(stage: ApiStage, id: &str) -> Result<ApiRequest, InvalidRequest> {
    match stage {
        ApiStage::Beta => put_revoke(Operation::Delete, id),
        ApiStage::Alpha => Ok(ApiRequest {
            operation: Operation::Delete,
            method: Method::DELETE,
            target: api_keys().id("id", id)?,
            body: None,
            subject: Some(id.to_owned()),
        }),
    }
}

fn put_revoke(operation: Operation, id: &str) -> Result<ApiRequest, InvalidRequest> {
    Ok(ApiRequest {
        operation,
        method: Method::PUT,
        target: api_keys().id("id", id)?.segment("revoke"),
        body: None,
        subject: Some(id.to_owned()),
    })
}

/// A 2xx means that the key is removed, unless a proxy sent it (a login page comes as HTML) or it has a problem document.
fn decode(response: &ApiResponse) -> Result<(), DecodeFailure> {
    // A 204 has no content, so it cannot be a login page.
    if response.status == StatusCode::NO_CONTENT {
        return Ok(());
    }
    if response.is_foreign() || response.media_type() == "application/problem+json" || has_problem(&response.body) {
        return Err(DecodeFailure::WrongContent("not the response of the service to a removal".to_owned()));
    }
    Ok(())
}

/// Whether the body is a problem document (RFC 9457) with an error status, under any media type.
fn has_problem(body: &[u8]) -> bool {
    #[derive(Default)]
    struct ProblemStatus {
        status: Option<String>,
    }

    impl ReadMembers for ProblemStatus {
        fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
            (name == "status").then_some(&mut self.status)
        }
    }

    let mut problem = ProblemStatus::default();
    read_available_members(body, &mut problem);
    problem.status.is_some_and(|status| status.trim().parse::<u16>().is_ok_and(|status| status >= 400))
}
