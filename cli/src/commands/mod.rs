//! What each command does.

pub(crate) mod check;
pub(crate) mod emulator;
pub(crate) mod list;
pub(crate) mod mint;
pub(crate) mod remove;
pub(crate) mod rotate;
pub(crate) mod texts;
