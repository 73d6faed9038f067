//! The emulator as other clients use it: over HTTP, with the stage that a request shows, an account and a state file.
#![cfg(feature = "emulator")]

mod account;
mod clock;
mod control;
#[cfg(unix)]
mod crash;
mod dialects;
mod http_details;
mod rate;
mod state;
