//! The invariants after each run, and after an undisturbed one.

use serde_json::Value;

use super::process::Run;
use super::scenario::{Case, FILE};
use super::service::{ADMIN, Minted};

/// The exit code of `rotate` for a key that is replaced already.
const NOT_FOUND: u8 = 4;

/// The exit codes of a secret that is not stored, or may not be.
const LAST_RESORT: [u8; 2] = [9, 11];

impl Case {
    /// The violations after a run, however it ended. Another run at the same time may have changed what its output says.
    pub(crate) fn after(&self, run: &Run, was_alone: bool) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.host.inner().consumer.wrong);
        if run.leaks() {
            wrong.push("the output has a secret".to_owned());
        }
        let live = self.service.live();
        let ledger = self.service.ledger();
        let minted = || ledger.keys.iter().filter(|(_, key)| key.by == run.process);
        if minted().count() > 1 {
            wrong.push("one run created two keys".to_owned());
        }
        // A secret that arrived is in a file, or its key is revoked, or the output or the key itself says whose it is.
        let files: Vec<String> =
            self.host.inner().disk.files().map(|(_, data, _)| String::from_utf8_lossy(data).into_owned()).collect();
        for (id, key) in live.iter().filter(|(_, key)| key.by == run.process) {
            let is_stored = files.iter().any(|file| file.contains(&key.secret));
            let is_named = run.err.contains(id.as_str()) || run.err.contains(&format!("`{}`", key.name));
            if !is_stored && !is_named && !key.description.contains("arize-keys") {
                wrong.push(format!("the key {id} is neither stored nor named"));
            }
        }
        // The output is true.
        let has_created = minted().next().is_some();
        let has_revoked = ledger.keys.values().any(|key| key.revoked_by == Some(run.process) && key.by != run.process);
        let is_left = minted().any(|(_, key)| key.revoked_by.is_none());
        let says = |text: &str| run.err.contains(text);
        if says("nothing was created") && has_created
            || says("nothing was changed") && (is_left || has_revoked)
            || says("nothing was revoked") && has_revoked
        {
            wrong.push("the output says that nothing was done".to_owned());
        }
        if (says("and is revoked") || says("new key was revoked")) && is_left {
            wrong.push("the output says that the new key is revoked".to_owned());
        }
        let revoked = |line: &'_ str| {
            ["revoked the old key ", "revoked the key "]
                .iter()
                .find_map(|text| line.strip_prefix(text).map(str::to_owned))
        };
        for word in run.err.lines().filter_map(revoked) {
            if ledger.keys.get(&word).is_some_and(|key| key.revoked_by.is_none()) {
                wrong.push(format!("the output says that {word} is revoked"));
            }
        }
        if run.code == Some(0) && was_alone {
            let document: Value = serde_json::from_str(&run.out).unwrap_or_default();
            let ids = |member: &str| -> Vec<String> {
                let ids = document.get(member).and_then(Value::as_array).into_iter().flatten();
                ids.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            for id in ids("retired").into_iter().chain(ids("revoked")) {
                if ledger.keys.get(&id).is_some_and(|key| key.revoked_by.is_none()) {
                    wrong.push(format!("the document says that {id} is revoked"));
                }
            }
            if let Some(id) = document.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
                let stored = self.host.stored();
                if ledger.keys.get(id).map(|key| &key.secret) != stored.as_ref() {
                    wrong.push(format!("the document says that {id} is stored"));
                }
            }
        }
        wrong
    }

    /// The violations after an undisturbed run.
    pub(crate) fn after_undisturbed(&self, run: &Run) -> Vec<String> {
        let mut wrong = self.after(run, true);
        if self.is_taken() {
            // The admin revoked the key that the command needs.
            return wrong;
        }
        let is_over = run.code == Some(NOT_FOUND) && self.command.text.starts_with("rotate ");
        if run.code != Some(0) && !is_over {
            wrong.push(format!("the next run ends with {:?}", run.code));
        }
        let live = self.service.live();
        if let Some(name) = self.name {
            let named: Vec<_> = live.iter().filter(|(_, key)| key.name == name).collect();
            let stored = self.host.stored();
            match named.as_slice() {
                [(_, key)] if stored.as_ref() == Some(&key.secret) => {}
                keys => {
                    let ids: Vec<_> = keys.iter().map(|(id, key)| (id, stored.as_ref() == Some(&key.secret))).collect();
                    wrong.push(format!("the live keys, and whether they are stored: {ids:?}"));
                }
            }
        }
        let reloaded = self.host.inner().consumer.reloaded.clone();
        if self.command.text.contains("--then reload") && reloaded != self.host.stored() {
            wrong.push("the consumer was not told of the stored key".to_owned());
        }
        for (id, _) in live.iter().filter(|(_, key)| Some(key.name.as_str()) == self.lent) {
            wrong.push(format!("the lent key {id} works"));
        }
        for id in &self.kept {
            if !live.iter().any(|(found, _)| found == id) {
                wrong.push(format!("the key {id} must work, and does not"));
            }
        }
        for id in &self.gone {
            if live.iter().any(|(found, _)| found == id) {
                wrong.push(format!("the key {id} must not work, and does"));
            }
        }
        let inner = self.host.inner();
        for (path, ..) in inner.disk.files().filter(|(path, ..)| path.as_os_str() != FILE) {
            if !path.ends_with(".key.lock") && !path.to_string_lossy().contains(".rescued") {
                wrong.push(format!("{} is left", path.display()));
            }
        }
        wrong
    }

    /// Whether the admin revoked a key that the command cannot do without.
    fn is_taken(&self) -> bool {
        let needs_key = self.command.text.starts_with("rotate ");
        let is_taken = |key: &Minted| Some(key.name.as_str()) == self.name && key.revoked_by == Some(ADMIN);
        needs_key && self.service.ledger().keys.values().any(is_taken)
    }
}

impl Run {
    /// Whether the output has a secret, other than one that no file can take, or none can be proved to have: that one is on stdout, or
    /// on stderr if stdout fails. A run may be killed between the secret and its end.
    pub(crate) fn leaks(&self) -> bool {
        let is_last_resort = self.code.is_none_or(|code| LAST_RESORT.contains(&code));
        has_secret(&self.err) && !self.err.contains("its secret was printed on stderr")
            || has_secret(&self.out) && !is_last_resort
    }
}

/// Whether a text has a secret of the service.
fn has_secret(text: &str) -> bool {
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices("ak-")
        .any(|(at, _)| text.get(at..).is_some_and(|rest| rest.chars().take_while(|c| is_of_key(*c)).count() > 20))
}
