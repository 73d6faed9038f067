//! The operations, and the responses of a service in order.

use arize_api_keys::{
    ApiKeyCreated, ApiKeysClient, ApiStage, CreateRequest, Error, ExposeSecret, ListRequest, RefreshRequest,
};

/// The key of the client.
pub(crate) const OWN_KEY: &str = "ak-own-0123456789abcdef";

/// The key that is listed, refreshed and removed.
pub(crate) const ID: &str = "QXBpS2V5OjE6YWJjZA";

/// The one-time secret of a new key.
pub(crate) const SECRET: &str = "ak-new-fedcba9876543210";

/// The operations of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Create,
    Refresh,
    /// `PUT …/revoke`.
    Revoke,
    /// `DELETE`, on the alpha stage.
    Delete,
}

impl Operation {
    pub(crate) const ALL: [Self; 5] = [Self::List, Self::Create, Self::Refresh, Self::Revoke, Self::Delete];

    pub(crate) fn stage(self) -> ApiStage {
        if self == Self::Delete { ApiStage::Alpha } else { ApiStage::Beta }
    }

    /// The column of the matrix: list, create and refresh, remove.
    pub(crate) fn column(self) -> usize {
        match self {
            Self::List => 0,
            Self::Create | Self::Refresh => 1,
            Self::Revoke | Self::Delete => 2,
        }
    }

    pub(crate) fn mints(self) -> bool {
        self.column() == 1
    }

    /// Makes one call.
    pub(crate) fn call(self, client: &ApiKeysClient) -> Result<Answer, Error> {
        match self {
            Self::List => client.list(&ListRequest::new()).map(|list| Answer {
                secret: None,
                names: list.api_keys.into_iter().map(|key| key.name).collect(),
                odd: false,
            }),
            Self::Create => client.create(&CreateRequest::new("ci")).map(Answer::from),
            Self::Refresh => client.refresh(&RefreshRequest::new(ID)).map(Answer::from),
            Self::Revoke | Self::Delete => client.delete(ID).map(|()| Answer::default()),
        }
    }

    /// The JSON of a service in order; nothing for a removal.
    pub(crate) fn json(self) -> String {
        match self {
            Self::List => r#"{"api_keys":[{"id":"QXBpS2V5OjE6YWJjZA","name":"ci","key_type":"USER","status":"ACTIVE","redacted_key":"ak-abc...xyz"}],"pagination":{"has_more":false}}"#.to_owned(),
            Self::Create | Self::Refresh => format!(r#"{{"id":"{ID}","key":"{SECRET}","name":"ci","key_type":"USER","status":"ACTIVE"}}"#),
            Self::Revoke | Self::Delete => String::new(),
        }
    }

    /// The whole response of a service in order.
    pub(crate) fn response(self) -> Vec<u8> {
        match self {
            Self::List => json_response("200 OK", self.json()),
            Self::Create | Self::Refresh => json_response("201 Created", self.json()),
            Self::Revoke | Self::Delete => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        }
    }
}

/// The result of a call.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The one-time secret, of a create or a refresh.
    pub(crate) secret: Option<String>,
    /// The names of the keys, of a list.
    pub(crate) names: Vec<String>,
    /// Whether the response to a create or a refresh had a defect.
    pub(crate) odd: bool,
}

impl From<ApiKeyCreated> for Answer {
    fn from(created: ApiKeyCreated) -> Self {
        let odd = !created.warnings.is_empty();
        Self { secret: Some(created.key.expose_secret().to_owned()), names: Vec::new(), odd }
    }
}

/// A response with a body of the declared length.
pub(crate) fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut response = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}

pub(crate) fn json_response(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    response(status, "content-type: application/json\r\n", body)
}

/// A refusal with a problem document.
pub(crate) fn problem(status: u16, headers: &str) -> Vec<u8> {
    let headers = format!("content-type: application/problem+json\r\n{headers}");
    response(&format!("{status} Refused"), &headers, format!(r#"{{"title":"refused","status":{status}}}"#))
}
