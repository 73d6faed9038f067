//! The rules of `audit`.

use std::time::Duration;

use arize_api_keys::FoundKey;
use arize_api_keys::time::OffsetDateTime;

use crate::args::Audit;
use crate::inventory::is_older;
use crate::output::moment;

/// The defaults of CIS AWS Foundations 1.3 (unused credentials) and 1.4 (rotation): 90 days.
const DEFAULT_AGE: Duration = Duration::from_secs(90 * 86_400);
const DEFAULT_EXPIRY: Duration = Duration::from_secs(14 * 86_400);

/// The limits of the rules that are on.
pub(super) struct Rules {
    older_than: Option<Duration>,
    unused_for: Option<Duration>,
    expires_within: Option<Duration>,
    no_expiry: bool,
    expired: bool,
}

/// A key, and the rule that it breaks.
pub(super) struct Finding<'a> {
    pub(super) found: &'a FoundKey,
    pub(super) rule: &'static str,
    pub(super) why: String,
}

impl Rules {
    pub(super) fn of(args: &Audit) -> Self {
        let is_chosen =
            args.older_than.is_some() || args.unused_for.is_some() || args.expires_within.is_some() || args.no_expiry;
        if is_chosen {
            let Audit { older_than, unused_for, expires_within, no_expiry, .. } = *args;
            // An expired key would have expired within any time before.
            return Self { older_than, unused_for, expires_within, no_expiry, expired: expires_within.is_some() };
        }
        Self {
            older_than: Some(DEFAULT_AGE),
            unused_for: Some(DEFAULT_AGE),
            expires_within: Some(DEFAULT_EXPIRY),
            no_expiry: true,
            expired: true,
        }
    }

    pub(super) fn check<'a>(&self, found: &'a FoundKey, now: OffsetDateTime) -> Vec<Finding<'a>> {
        let key = &found.key;
        let mut findings = Vec::new();
        let mut add = |rule, why| findings.push(Finding { found, rule, why });
        let shown = |at: Option<OffsetDateTime>| at.and_then(|at| moment("", Some(at), &[])).unwrap_or_default();
        let is_unreadable = |field| key.warnings.iter().any(|warning| warning.field == field);

        if let Some(limit) = self.older_than.filter(|limit| is_older(key.created_at, *limit, now)) {
            add("older-than", format!("created {}, over {} ago", shown(key.created_at), days(limit)));
        }
        if let Some(limit) = self.unused_for {
            if is_older(key.last_used_at, limit, now) {
                add("unused-for", format!("last used {}, over {} ago", shown(key.last_used_at), days(limit)));
            } else if key.last_used_at.is_none()
                && !is_unreadable("last_used_at")
                && is_older(key.created_at, limit, now)
            {
                add("never-used", format!("never seen used since {}, over {} ago", shown(key.created_at), days(limit)));
            }
        }
        match key.expires_at {
            Some(at) if at <= now && self.expired => add("expired", format!("expired {}", shown(Some(at)))),
            Some(at) if at > now => {
                if let Some(limit) = self.expires_within.filter(|limit| at - now <= *limit) {
                    add("expires-within", format!("expires {}, within {}", shown(Some(at)), days(limit)));
                }
            }
            None if self.no_expiry && !is_unreadable("expires_at") => add("no-expiry", "never expires".to_owned()),
            _ => {}
        }
        for warning in &key.warnings {
            if ["created_at", "expires_at", "last_used_at"].contains(&warning.field) {
                add("unreadable", format!("cannot read {warning}"));
            }
        }
        findings
    }
}

/// Whole days as such: `humantime` would make months of them, and hours of the rest.
fn days(limit: Duration) -> String {
    match (limit.as_secs() / 86_400, limit.as_secs() % 86_400) {
        (1, 0) => "1 day".to_owned(),
        (days @ 2.., 0) => format!("{days} days"),
        _ => humantime::format_duration(limit).to_string(),
    }
}

pub(super) fn is_managed(found: &FoundKey) -> bool {
    found.key.owner().is_some()
}
