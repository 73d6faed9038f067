//! Takes a new secret out of the other texts of its response.

use super::enums::WireEnum;
use super::{ApiKey, BotUser, BotUserOrganization, BotUserSpace, FieldWarning, RoleAssignment};
use crate::redact::replace_secret;

impl ApiKey {
    /// A service may repeat the secret, in `redacted_key` for one, and everything but the secret itself can be shown.
    pub(super) fn scrub(&mut self, secret: &str) {
        for warning in &mut self.warnings {
            if let Some(clean) = replace_secret(&warning.found, secret) {
                warning.found = clean;
            }
        }
        let mut repeated = Vec::new();
        for (field, text) in self.texts() {
            if let Some(clean) = replace_secret(text, secret) {
                *text = clean;
                repeated.push(FieldWarning { field, found: "the secret".to_owned() });
            }
        }
        self.warnings.append(&mut repeated);
    }

    /// Every text of the service, with the name of its member.
    fn texts(&mut self) -> impl Iterator<Item = (&'static str, &mut String)> {
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
            warnings: _,
        } = self;
        [("id", id), ("name", name), ("redacted_key", redacted_key), ("created_by_user_id", created_by_user_id)]
            .into_iter()
            .chain(description.as_mut().map(|text| ("description", text)))
            .chain(key_type.unknown_mut().map(|word| ("key_type", word)))
            .chain(status.unknown_mut().map(|word| ("status", word)))
            .chain(bot_user.iter_mut().flat_map(BotUser::texts).map(|text| ("bot_user", text)))
    }
}

impl BotUser {
    fn texts(&mut self) -> Vec<&mut String> {
        let Self { id, name, account_role, organizations } = self;
        let mut texts = vec![id, name];
        texts.extend(account_role.iter_mut().flat_map(role_texts));
        for BotUserOrganization { org_id, role, spaces } in organizations {
            texts.push(org_id);
            texts.extend(role.iter_mut().flat_map(role_texts));
            for BotUserSpace { space_id, role } in spaces {
                texts.push(space_id);
                texts.extend(role.iter_mut().flat_map(role_texts));
            }
        }
        texts
    }
}

fn role_texts<R: WireEnum>(role: &mut RoleAssignment<R>) -> Vec<&mut String> {
    match role {
        RoleAssignment::Predefined(role) => role.unknown_mut().into_iter().collect(),
        RoleAssignment::Custom { id, name } => [id].into_iter().chain(name).collect(),
        RoleAssignment::Unknown(word) => vec![word],
    }
}
