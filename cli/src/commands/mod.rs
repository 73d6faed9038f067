//! What each command does.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod delete;
pub(crate) mod emulator;
pub(crate) mod ensure;
pub(crate) mod find;
pub(crate) mod generate;
pub(crate) mod identify;
pub(crate) mod list;
pub(crate) mod prune;
pub(crate) mod rotate;
pub(crate) mod run;
pub(crate) mod secret_commands;
