//! The endpoints: they read a request, apply it to the account, and write the response.

mod bindings;
pub(crate) mod context;
mod create_key;
pub(crate) mod credentials;
pub(crate) mod dialect;
pub(crate) mod json_object;
mod list_keys;
mod parsed_request;
pub(crate) mod problem;
mod query;
mod refresh_key;
mod remove_key;
pub(crate) mod responses;
pub(crate) mod route;
mod spaces;
