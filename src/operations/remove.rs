//! Remove a key: `PUT /v2/api-keys/{id}/revoke`, and on the alpha stage `DELETE /v2/api-keys/{id}`.

use http::{Method, StatusCode};
use serde::de::MapAccess;

use crate::call::{Call, Misread, Operation, Reply};
use crate::error::InvalidRequest;
use crate::lenient::{Members, read_scalar, read_what_there_is};
use crate::operations::api_keys;
use crate::stage::ApiStage;

/// `revoke` is the same on both stages.
pub(crate) fn revoke(id: &str) -> Result<Call, InvalidRequest> {
    put_revoke(Operation::Revoke, id)
}

/// `delete` is what the seed's stage calls it; today's service revokes instead.
pub(crate) fn delete(stage: ApiStage, id: &str) -> Result<Call, InvalidRequest> {
    match stage {
        ApiStage::Beta => put_revoke(Operation::Delete, id),
        ApiStage::Alpha => Ok(Call {
            operation: Operation::Delete,
            method: Method::DELETE,
            target: api_keys().id("id", id)?,
            body: None,
            subject: Some(id.to_owned()),
        }),
    }
}

fn put_revoke(operation: Operation, id: &str) -> Result<Call, InvalidRequest> {
    Ok(Call {
        operation,
        method: Method::PUT,
        target: api_keys().id("id", id)?.segment("revoke"),
        body: None,
        subject: Some(id.to_owned()),
    })
}

/// A 2xx means that it happened, unless somebody else answered (a login page comes as HTML) or a problem is told after all.
pub(crate) fn decode(reply: &Reply) -> Result<(), Misread> {
    // A 204 has no content, whatever its headers say of it: no page can come with it.
    if reply.status == StatusCode::NO_CONTENT {
        return Ok(());
    }
    if reply.is_foreign() || reply.media_type() == "application/problem+json" || tells_a_problem(&reply.body) {
        return Err(Misread::WrongContent("not the answer of the service to a removal".to_owned()));
    }
    Ok(())
}

/// Whether a problem document (RFC 9457) says that the request failed, under whatever media type.
fn tells_a_problem(body: &[u8]) -> bool {
    #[derive(Default)]
    struct Told {
        status: Option<String>,
    }

    impl Members for Told {
        fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
            if name != "status" {
                return Ok(false);
            }
            self.status = read_scalar(map)?;
            Ok(true)
        }
    }

    let mut told = Told::default();
    read_what_there_is(body, &mut told);
    told.status.is_some_and(|status| status.trim().parse::<u16>().is_ok_and(|status| status >= 400))
}
