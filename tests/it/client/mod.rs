//! The client against scripted responses: retries, messages, one-time secrets, and leaks.

mod encodings;
mod faults;
mod key_file;
mod messages;
mod model;
mod own_key;
mod pages;
mod pipeline;
mod properties;
mod rotation;
mod service_keys;
mod spaces;
