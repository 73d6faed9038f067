//! The emulator as others meet it: by what requests say of themselves, over HTTP, with an account and a state of its own.
#![cfg(feature = "emulator")]

mod account;
#[cfg(unix)]
mod crash;
mod dialects;
mod http_details;
mod rate;
mod state;
mod support;
