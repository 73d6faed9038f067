//! The client against scripted answers: what is retried, what an error says, what cannot be lost and what cannot leak.

mod encodings;
mod faults;
mod key_file;
mod messages;
mod model;
mod pages;
mod pipeline;
mod properties;
mod rotation;
mod service_keys;
mod spaces;
mod support;
