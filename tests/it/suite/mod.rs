//! One suite of scenarios, told through the public surface and run in four worlds: the emulator as a transport and over
//! HTTP on loopback, each on both stages. What holds in all of them holds of the client, of the default transport and of
//! the emulator's two doors at once.
#![cfg(feature = "emulator")]

mod creating;
mod ensure;
mod ensure_details;
mod ensure_faults;
mod inventory;
mod inventory_faults;
mod key_file;
mod listing;
mod refreshing;
mod refusals;
mod removing;
mod rotating;
mod service_keys;
mod sharing;
mod world;
