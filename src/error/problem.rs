//! Problem documents (RFC 9457).

use crate::json::{ReadMembers, Slot, read_available_members};
use crate::redact::sanitize;

/// The members of a problem document that people and programs use, safe to show.
#[derive(Debug, Default)]
pub(crate) struct Problem {
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) problem_type: Option<String>,
    pub(crate) instance: Option<String>,
}

impl Problem {
    /// Reads a problem document under any content type. `None` if the body has none of the members.
    pub(crate) fn read(body: &[u8], own_key: &str) -> Option<Self> {
        let mut problem = Self::default();
        read_available_members(body, &mut problem);
        let members = [&mut problem.title, &mut problem.detail, &mut problem.problem_type, &mut problem.instance];
        let mut any = false;
        for text in members.into_iter().flatten() {
            *text = sanitize(text, own_key);
            any = true;
        }
        any.then_some(problem)
    }
}

impl ReadMembers for Problem {
    fn member(&mut self, name: &str) -> Option<&mut dyn Slot> {
        Some(match name {
            "title" => &mut self.title,
            "detail" => &mut self.detail,
            "type" => &mut self.problem_type,
            "instance" => &mut self.instance,
            _ => return None,
        })
    }
}
