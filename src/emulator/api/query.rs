//! The query of a listing: parameters, the limit, and the cursor.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::problem::ProblemResponse;
use crate::emulator::account::enums::StageWords;
use crate::emulator::account::id::Id;
use crate::stage::ApiStage;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
const MAX_NAME: usize = 255;

pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ProblemResponse> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Self { pairs: pairs.collect::<Result<_, ProblemResponse>>()? })
    }

    /// The value of a parameter, which may be given once.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, ProblemResponse> {
        let mut values = self.pairs.iter().filter(|pair| pair.0 == name).map(|pair| pair.1.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(ProblemResponse::bad_request(format!("`{name}` is given more than once"))),
        }
    }

    /// The meaning of a word, and its stage.
    pub(crate) fn word<T: StageWords>(&self, name: &str) -> Result<Option<(T, ApiStage)>, ProblemResponse> {
        let unknown = |word| ProblemResponse::bad_request(format!("`{name}` cannot be `{word}`"));
        self.get(name)?.map(|word| T::read(word).ok_or_else(|| unknown(word))).transpose()
    }

    /// A part of a name to look for, in lower case.
    pub(crate) fn name(&self) -> Result<String, ProblemResponse> {
        let name = self.get("name")?.unwrap_or_default();
        if name.chars().count() > MAX_NAME {
            return Err(ProblemResponse::bad_request(format!("`name` must have at most {MAX_NAME} characters")));
        }
        Ok(name.to_lowercase())
    }

    pub(crate) fn window(&self) -> Result<Window, ProblemResponse> {
        let limit = match self.get("limit")? {
            None => DEFAULT_LIMIT,
            Some(text) => text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
                ProblemResponse::bad_request(format!("`limit` must be an integer from 1 to {MAX_LIMIT}"))
            })?,
        };
        let cursor = self.get("cursor")?.filter(|cursor| !cursor.is_empty()).map(ToOwned::to_owned);
        Ok(Window { limit, cursor })
    }
}

/// Decodes a part of a query, in which a `+` is a space.
fn decode(part: &str) -> Result<String, ProblemResponse> {
    let part = part.replace('+', " ");
    match percent_decode_str(&part).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(ProblemResponse::bad_request("the query is not UTF-8")),
    }
}

/// Which part of a listing is asked for.
pub(crate) struct Window {
    limit: usize,
    cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct PaginationView {
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Window {
    /// The number of the row after which this page starts.
    ///
    /// `listing` is everything that decides what is listed, and in a cursor a trace of it: a cursor continues the
    /// listing that it came from, and no other.
    pub(crate) fn start(&self, listing: &impl Hash) -> Result<u64, ProblemResponse> {
        let Some(cursor) = &self.cursor else { return Ok(0) };
        let after = STANDARD.decode(cursor).ok().and_then(|bytes| {
            let (trace, after) = bytes.split_first_chunk()?;
            (u64::from_be_bytes(*trace) == trace_of(listing)).then_some(u64::from_be_bytes(after.try_into().ok()?))
        });
        after.ok_or_else(|| ProblemResponse::bad_request("`cursor` is not one that this listing has given"))
    }

    /// Takes one page out of the rows that are left.
    pub(crate) fn page<T>(
        &self,
        rows: impl Iterator<Item = T>,
        id: impl Fn(&T) -> Id,
        listing: &impl Hash,
    ) -> (Vec<T>, PaginationView) {
        let mut rows: Vec<T> = rows.take(self.limit.saturating_add(1)).collect();
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let last = rows.last().filter(|_| has_more);
        let next_cursor =
            last.map(|row| STANDARD.encode([trace_of(listing).to_be_bytes(), id(row).number().to_be_bytes()].concat()));
        (rows, PaginationView { has_more, next_cursor })
    }
}

fn trace_of(listing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    listing.hash(&mut hasher);
    hasher.finish()
}
