//! Taking secrets out of the texts of a response: the new one, and the client's own.

use super::enums::WireEnum;
use super::{
    ApiKey, BotUser, BotUserOrganization, BotUserSpace, FieldWarning, Organization, Pagination, RoleAssignment, Space,
};
use crate::redact::replace_secret;

/// A decoded value whose texts may show a secret.
pub(crate) trait Scrub {
    /// Replaces the secret wherever it is.
    fn scrub(&mut self, secret: &str);
}

/// Whether the secret was in the text. Most texts are shorter than a secret, and cost no call.
#[inline]
fn scrub_text(text: &mut String, secret: &str) -> bool {
    text.len() >= secret.len() && scrub_long_text(text, secret)
}

#[inline(never)]
fn scrub_long_text(text: &mut String, secret: &str) -> bool {
    replace_secret(text, secret).map(|clean| *text = clean).is_some()
}

impl Scrub for ApiKey {
    /// A service may repeat the secret, in `redacted_key` for one, and everything but the secret itself can be shown.
    fn scrub(&mut self, secret: &str) {
        // Member by member, so that none that is added can be forgotten.
        let Self {
            id,
            name,
            description,
            key_type,
            status,
            redacted_key,
            created_at: _,
            expires_at: _,
            created_by_user_id,
            last_used_at: _,
            bot_user,
            warnings,
        } = self;
        for warning in &mut *warnings {
            scrub_text(&mut warning.found, secret);
        }
        let mut scrub = |field, text: &mut String| {
            if scrub_text(text, secret) {
                warnings.push(FieldWarning { field, found: "the secret".to_owned() });
            }
        };
        scrub("id", id);
        scrub("name", name);
        scrub("redacted_key", redacted_key);
        scrub("created_by_user_id", created_by_user_id);
        description.iter_mut().for_each(|text| scrub("description", text));
        key_type.unknown_mut().into_iter().for_each(|word| scrub("key_type", word));
        status.unknown_mut().into_iter().for_each(|word| scrub("status", word));
        bot_user.iter_mut().for_each(|user| user.each_text(&mut |text| scrub("bot_user", text)));
    }
}

impl Scrub for Space {
    fn scrub(&mut self, secret: &str) {
        let Self { id, name, organization_id, description, created_at: _ } = self;
        for text in [id, name].into_iter().chain(organization_id).chain(description) {
            scrub_text(text, secret);
        }
    }
}

impl Scrub for Organization {
    fn scrub(&mut self, secret: &str) {
        let Self { id, name, description, created_at: _ } = self;
        for text in [id, name].into_iter().chain(description) {
            scrub_text(text, secret);
        }
    }
}

impl Scrub for Pagination {
    fn scrub(&mut self, secret: &str) {
        let Self { has_more: _, next_cursor } = self;
        next_cursor.iter_mut().for_each(|text| {
            scrub_text(text, secret);
        });
    }
}

impl BotUser {
    fn each_text(&mut self, visit: &mut impl FnMut(&mut String)) {
        let Self { id, name, account_role, organizations } = self;
        visit(id);
        visit(name);
        each_role_text(account_role, visit);
        for BotUserOrganization { org_id, role, spaces } in organizations {
            visit(org_id);
            each_role_text(role, visit);
            for BotUserSpace { space_id, role } in spaces {
                visit(space_id);
                each_role_text(role, visit);
            }
        }
    }
}

fn each_role_text<R: WireEnum>(role: &mut Option<RoleAssignment<R>>, visit: &mut impl FnMut(&mut String)) {
    match role {
        Some(RoleAssignment::Predefined(role)) => role.unknown_mut().into_iter().for_each(visit),
        Some(RoleAssignment::Custom { id, name }) => [id].into_iter().chain(name).for_each(visit),
        Some(RoleAssignment::Unknown(word)) => visit(word),
        None => {}
    }
}
