//! One fault, every operation: what a row of the matrix is written with.

pub(crate) mod case;
pub(crate) mod document;
pub(crate) mod expected;
pub(crate) mod operation;
pub(crate) mod server;

pub(crate) use crate::support::TestClock;
pub(crate) use case::{Case, Row, row};
pub(crate) use expected::{Expected, again, again_times, fine, fine_after, later, once, refused, rescue, then_once};
pub(crate) use operation::{OWN_KEY, Operation, SECRET};
pub(crate) use server::Conn;
