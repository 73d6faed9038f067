//! Reading JSON answers: an object, and one page of a list.

use serde::de::{DeserializeSeed, MapAccess};

use crate::call::{Misread, Reply};
use crate::lenient::{ArrayInto, Members, ObjectInto, Seen, read_scalar, without_mark};
use crate::model::Pagination;

/// One page of anything that the API lists.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) pagination: Pagination,
}

/// Reads an object, and nothing after it. Anything but an object leaves `value` as it is, and is reported as `false`.
pub(crate) fn read_object(reply: &Reply, value: &mut impl Members) -> Result<bool, Misread> {
    if reply.body.is_empty() {
        return Err(Misread::WrongContent("nothing where JSON was promised".to_owned()));
    }
    let text =
        std::str::from_utf8(without_mark(&reply.body)).map_err(|_| Misread::WrongContent("not UTF-8".to_owned()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let seen = ObjectInto(value).deserialize(&mut json);
    seen.and_then(|seen| json.end().map(|()| seen == Seen::Wanted)).map_err(|error| Misread::from_json(&error))
}

/// Reads `{"<member>": […], "pagination": {…}}`. A page with neither member is not a page, one whose items are no list is
/// not an empty one, and one whose pagination is something else is not the last one.
pub(crate) fn read_page<T: Members + Default>(reply: &Reply, member: &'static str) -> Result<Page<T>, Misread> {
    let mut envelope = Envelope { member, room: reply.body.len() / ITEM, items: None, pagination: None, odd: None };
    read_object(reply, &mut envelope)?;
    if let Some(odd) = envelope.odd {
        return Err(Misread::WrongContent(odd));
    }
    if envelope.items.is_none() && envelope.pagination.is_none() {
        return Err(Misread::WrongContent(format!("no `{member}` in the answer")));
    }
    let pagination = envelope.pagination.unwrap_or_default();
    let next_cursor = pagination.next_cursor.filter(|cursor| !cursor.is_empty());
    Ok(Page {
        items: envelope.items.unwrap_or_default(),
        pagination: Pagination { has_more: pagination.has_more.unwrap_or(next_cursor.is_some()), next_cursor },
    })
}

/// A key takes a little more JSON than that, in bytes: so the vector of a page is made once, and grows no more.
const ITEM: usize = 256;

struct Envelope<T> {
    member: &'static str,
    /// For so many items.
    room: usize,
    items: Option<Vec<T>>,
    pagination: Option<Cursor>,
    /// What keeps it from being a page.
    odd: Option<String>,
}

/// `pagination` as it was sent.
#[derive(Default)]
struct Cursor {
    has_more: Option<bool>,
    next_cursor: Option<String>,
}

impl<T: Members + Default> Members for Envelope<T> {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        let is_items = name == self.member;
        let is_pagination = name == "pagination";
        if is_items && self.items.is_some() || is_pagination && self.pagination.is_some() {
            // Which of the two is meant? What may be half of a list is none.
            self.odd = Some(format!("`{name}` comes twice"));
            return Ok(false);
        }
        if is_items {
            let mut items = Vec::with_capacity(self.room);
            if map.next_value_seed(ArrayInto(&mut items))? == Seen::Odd {
                self.odd = Some(format!("`{name}` is no list"));
            }
            self.items = Some(items);
        } else if is_pagination {
            let mut cursor = Cursor::default();
            // `null` stands for a list without more pages.
            if map.next_value_seed(ObjectInto(&mut cursor))? == Seen::Odd {
                self.odd = Some("`pagination` is no object".to_owned());
            }
            self.pagination = Some(cursor);
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

impl Members for Cursor {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "has_more" => self.has_more = read_scalar(map)?,
            "next_cursor" => self.next_cursor = read_scalar(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
