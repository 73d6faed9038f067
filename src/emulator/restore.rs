//! An account as the lines of a state file, and back.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use fastrand::Rng;

use super::account::{Account, Credential, Key, Outbox};
use super::id::{Id, Kind};
use super::moment::Moment;
use super::people::{Assignment, CustomRole, Organization, OrganizationGrant, Space, SpaceGrant, User};
use super::record::{self, FORMAT, Grant, KeyRecord, Record, VERSION};
use super::table::{Row, Table};
use super::words::{KeyType, Role, Status};
use crate::stage::ApiStage;

/// How much is gathered before it is written.
const PIECE: usize = 64 * 1024;

/// What is wrong with a line.
pub(super) struct BadLine {
    pub(super) line: u64,
    pub(super) problem: String,
}

/// Writes the whole account, as if nothing had ever been changed in it.
pub(super) fn write(account: &Account, to: &mut impl Write) -> io::Result<u64> {
    let mut lines = Lines { bytes: Vec::with_capacity(PIECE), written: 0, to };
    lines.add(&Record::format())?;
    for organization in account.organizations.after(0) {
        lines.add(&Record::organization(organization))?;
    }
    for space in account.spaces.after(0) {
        lines.add(&Record::space(space))?;
    }
    for role in account.custom_roles.after(0) {
        lines.add(&Record::custom_role(role))?;
    }
    for user in account.users.after(0) {
        lines.add(&Record::user(user))?;
    }
    for key in account.keys.after(0) {
        lines.add(&Record::key(key))?;
    }
    for (secret, credential) in &account.secrets {
        if account.keys.get(credential.key).is_some_and(|key| key.secret != *secret) {
            let until = credential.until.map(Moment);
            lines.add(&Record::OldSecret { key: credential.key, secret: secret.to_string(), until })?;
        }
    }
    lines.add(&account.dice())?;
    lines.flush()?;
    Ok(lines.written)
}

struct Lines<'a, W> {
    bytes: Vec<u8>,
    written: u64,
    to: &'a mut W,
}

impl<W: Write> Lines<'_, W> {
    fn add(&mut self, record: &Record) -> io::Result<()> {
        record.write(&mut self.bytes);
        if self.bytes.len() < PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.write_all(&self.bytes)?;
        self.written = self.written.saturating_add(self.bytes.len() as u64);
        self.bytes.clear();
        Ok(())
    }
}

/// Reads the lines into an empty account.
///
/// What a crash has cut off was never acknowledged, and is left out: a last line without its end, or one that is not
/// whole. Anything else that is wrong is an error.
pub(super) fn read(account: &mut Account, from: &mut impl BufRead) -> io::Result<Result<(), BadLine>> {
    let mut line = Vec::new();
    let mut number = 0;
    let mut torn: Option<BadLine> = None;
    loop {
        line.clear();
        number += 1;
        if from.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if let Some(bad) = torn {
            return Ok(Err(bad));
        }
        let bad = |problem| BadLine { line: number, problem };
        match serde_json::from_slice::<Record>(&line) {
            Ok(record) if line.ends_with(b"\n") => {
                let replayed = if number == 1 { check_format(&record) } else { account.replay(record) };
                if let Err(problem) = replayed {
                    return Ok(Err(bad(problem)));
                }
            }
            Ok(_) => torn = Some(bad("the line has no end".to_owned())),
            Err(error) => torn = Some(bad(error.to_string())),
        }
    }
    // The first line comes with the file, whole: a file without it is some other file.
    let bad_format = || BadLine { line: 1, problem: "it is not a state file of this emulator".to_owned() };
    Ok(if number <= 2 && torn.is_some() { Err(bad_format()) } else { Ok(()) })
}

fn check_format(record: &Record) -> Result<(), String> {
    match record {
        Record::Format { name, version } if name == FORMAT && *version == VERSION => Ok(()),
        Record::Format { name, version } if name == FORMAT => {
            Err(format!("it has version {version} of the format, and this program knows version {VERSION}"))
        }
        _ => Err("it is not a state file of this emulator".to_owned()),
    }
}

impl Account {
    /// From now on, changes are kept for the state file.
    pub(super) fn keep_changes(&mut self) {
        self.outbox = Some(Outbox::default());
    }

    pub(super) fn dice(&self) -> Record {
        Record::Dice { ids: self.ids.get_seed(), secrets: self.dice.get_seed() }
    }

    fn replay(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Format { .. } => return Err("the format is given a second time".to_owned()),
            Record::Organization { id, name, description, created_at: Moment(created_at) } => {
                let id = next(&self.organizations, id)?;
                self.organizations.push(Arc::new(Organization { id, name, description, created_at }));
            }
            Record::Space { id, organization, name, description, created_at: Moment(created_at) } => {
                let (id, organization) = (next(&self.spaces, id)?, Arc::clone(row(&self.organizations, organization)?));
                self.spaces.push(Arc::new(Space { id, name, description, created_at, organization }));
            }
            Record::CustomRole { id, name } => {
                let id = next(&self.custom_roles, id)?;
                self.custom_roles.push(Arc::new(CustomRole { id, name }));
            }
            Record::User { id, name, account_role, grants } => {
                let id = next(&self.users, id)?;
                let user = User::new(id, name, role(&account_role)?, self.grants(grants)?);
                self.users.push(Arc::new(user));
            }
            Record::Grants { user, grants } => row(&self.users, user)?.set_grants(self.grants(grants)?),
            Record::Key(record) => self.replay_key(*record)?,
            Record::NewSecret { key, secret, expires_at, grace_end } => {
                let (secret, moment) = (self.unused(secret)?, |moment: Option<Moment>| moment.map(|moment| moment.0));
                let known = self.set_secret(key, secret, moment(expires_at), moment(grace_end));
                known.ok_or_else(|| unknown(Kind::ApiKey, key))?;
            }
            Record::OldSecret { key, secret, until } => {
                row(&self.keys, key)?;
                let secret = self.unused(secret)?;
                self.secrets.insert(secret, Credential { key, until: until.map(|moment| moment.0) });
            }
            Record::Revoked { key } => {
                row(&self.keys, key)?;
                self.revoke(key);
            }
            Record::Dice { ids, secrets } => {
                self.ids = Rng::with_seed(ids);
                self.dice = Rng::with_seed(secrets);
            }
        }
        Ok(())
    }

    fn replay_key(&mut self, record: KeyRecord) -> Result<(), String> {
        let creator = Arc::clone(row(&self.users, record.creator)?);
        let (key_type, user) = match record.bot {
            None => (KeyType::User, Arc::clone(&creator)),
            Some(bot) => (KeyType::Service, Arc::clone(row(&self.users, bot)?)),
        };
        let key = Key {
            id: next(&self.keys, record.id)?,
            name: record.name,
            description: record.description,
            key_type,
            status: if record.revoked { Status::Revoked } else { Status::Active },
            created_at: record.created_at.0,
            expires_at: record.expires_at.map(|moment| moment.0),
            last_used_at: record.last_used_at.map(|moment| moment.0),
            creator,
            user,
            secret: self.unused(record.secret)?,
        };
        self.insert_key(key);
        Ok(())
    }

    fn unused(&self, secret: String) -> Result<Arc<str>, String> {
        let secret: Arc<str> = secret.into();
        if self.secrets.contains_key(&secret) { Err("two keys have one secret".to_owned()) } else { Ok(secret) }
    }

    fn grants(&self, grants: Vec<Grant>) -> Result<Vec<OrganizationGrant>, String> {
        let space = |granted: record::GrantedSpace| {
            let role = match (granted.role, granted.custom_role) {
                (Some(word), None) => Assignment::Predefined(role(&word)?),
                (None, Some(number)) => Assignment::Custom(Arc::clone(row(&self.custom_roles, number)?)),
                _ => return Err("a space is granted with one role".to_owned()),
            };
            Ok(SpaceGrant { space: Arc::clone(row(&self.spaces, granted.space)?), role })
        };
        let organization = |grant: Grant| {
            Ok(OrganizationGrant {
                organization: Arc::clone(row(&self.organizations, grant.organization)?),
                role: role(&grant.role)?,
                spaces: grant.spaces.into_iter().map(space).collect::<Result<_, String>>()?,
            })
        };
        grants.into_iter().map(organization).collect()
    }
}

/// The id, if it is that of the row which is added next.
fn next<T: Row>(table: &Table<T>, id: Id) -> Result<Id, String> {
    if id.kind() == T::KIND && id.number() == table.next_number() {
        Ok(id)
    } else {
        Err(format!("`{id}` is not the id of the next row of its kind"))
    }
}

fn row<T: Row>(table: &Table<T>, number: u64) -> Result<&T, String> {
    table.get(number).ok_or_else(|| unknown(T::KIND, number))
}

fn unknown(kind: Kind, number: u64) -> String {
    format!("there is no {kind:?} number {number} before it")
}

fn role(word: &str) -> Result<Role, String> {
    Role::read(word, ApiStage::Beta).ok_or_else(|| format!("there is no role `{word}`"))
}
