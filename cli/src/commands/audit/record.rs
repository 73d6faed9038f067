//! The report as data. Members are in alphabetical order, as in every document of the program, and no text holds a secret.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::rules::Finding;
use crate::console::Console;
use crate::inventory::{self, ShownSpace};
use crate::output::Key;

#[derive(Serialize)]
pub(super) struct AuditReport<'a> {
    pub(super) findings: Vec<Record<'a>>,
    /// The number of keys that were audited.
    pub(super) keys: usize,
    pub(super) not_covered: [&'static str; 1],
    /// The number of spaces.
    pub(super) spaces: usize,
    pub(super) unread: Value,
}

/// A finding, with the members of the key that a reader needs.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    created_at: Option<String>,
    created_by_user_id: Cow<'a, str>,
    expires_at: Option<String>,
    id: Cow<'a, str>,
    key_type: String,
    last_used_at: Option<String>,
    name: Cow<'a, str>,
    owner: Option<String>,
    redacted_key: Cow<'a, str>,
    rule: &'static str,
    spaces: Vec<ShownSpace<'a>>,
    why: Cow<'a, str>,
}

impl<'a> Record<'a> {
    pub(super) fn new(finding: &'a Finding<'_>, console: &Console) -> Self {
        let secrets = &console.secrets;
        let key = Key::new(&finding.found.key, secrets);
        Self {
            created_at: key.created_at,
            created_by_user_id: key.created_by_user_id,
            expires_at: key.expires_at,
            id: key.id,
            key_type: key.key_type,
            last_used_at: key.last_used_at,
            name: key.name,
            owner: key.owner,
            redacted_key: key.redacted_key,
            rule: finding.rule,
            spaces: inventory::spaces(finding.found, console),
            why: secrets.value(&finding.why),
        }
    }
}
