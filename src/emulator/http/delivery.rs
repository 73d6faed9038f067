//! The delivery of a response: when it leaves, and how much of it.

use std::io;
use std::time::Duration;

use http::{Method, Response};

use crate::transport::{TransportError, TransportErrorKind};

/// A response and its delay.
pub(crate) struct Delivery {
    pub(crate) delay: Duration,
    pub(crate) termination: Termination,
}

pub(crate) enum Termination {
    Whole(Response<Vec<u8>>),
    /// The connection ends after this many bytes of the body.
    Cut(Response<Vec<u8>>, usize),
    /// The connection ends before the response.
    Reset,
}

/// An extension of a response with a new secret: the length of the body up to the closing quote of the secret.
#[derive(Clone, Copy)]
pub(crate) struct SecretEnd(pub(crate) usize);

impl Delivery {
    fn new(termination: Termination) -> Self {
        Self { delay: Duration::ZERO, termination }
    }

    pub(crate) fn whole(response: Response<Vec<u8>>) -> Self {
        Self::new(Termination::Whole(response))
    }

    /// A body that is no longer than `length` is whole.
    pub(crate) fn cut(response: Response<Vec<u8>>, length: usize) -> Self {
        if length < response.body().len() {
            Self::new(Termination::Cut(response, length))
        } else {
            Self::whole(response)
        }
    }

    pub(crate) fn reset() -> Self {
        Self::new(Termination::Reset)
    }

    pub(crate) fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn response_mut(&mut self) -> Option<&mut Response<Vec<u8>>> {
        match &mut self.termination {
            Termination::Whole(response) | Termination::Cut(response, _) => Some(response),
            Termination::Reset => None,
        }
    }
}

impl Termination {
    /// The response to `HEAD` has no body.
    pub(crate) fn to(self, method: &Method) -> Self {
        match self {
            Self::Whole(mut response) | Self::Cut(mut response, _) if method == Method::HEAD => {
                response.body_mut().clear();
                Self::Whole(response)
            }
            termination => termination,
        }
    }

    /// Whether a client that gets it has a new secret.
    pub(crate) fn delivers_secret(&self) -> bool {
        let (response, length) = match self {
            Self::Whole(response) => (response, response.body().len()),
            Self::Cut(response, length) => (response, *length),
            Self::Reset => return false,
        };
        response.extensions().get::<SecretEnd>().is_some_and(|end| end.0 <= length)
    }

    /// The error that the transport of a client over a socket would return.
    pub(crate) fn into_result(self) -> Result<Response<Vec<u8>>, TransportError> {
        let broke = |kind: io::ErrorKind| TransportError::new(TransportErrorKind::Interrupted, io::Error::from(kind));
        match self {
            Self::Whole(mut response) => {
                response.extensions_mut().clear();
                Ok(response)
            }
            Self::Cut(mut response, length) => {
                response.extensions_mut().clear();
                response.body_mut().truncate(length);
                Err(broke(io::ErrorKind::UnexpectedEof).with_partial_response(response))
            }
            Self::Reset => Err(broke(io::ErrorKind::ConnectionReset)),
        }
    }
}
