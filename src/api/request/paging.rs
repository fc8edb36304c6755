//! Which page of a list a request asks for.

use super::cursor::{Position, Seal};
use super::query::Query;
use crate::api::response::{PageBody, UnreadableBody};
use crate::store::reading::ListPart;

/// The size of a page where the request doesn't say.
const LIMIT_DEFAULT: u32 = 50;
/// The largest page; a larger one is lowered to it.
pub(crate) const LIMIT_MAX: u32 = 200;

/// The page that a request asks for.
#[derive(Debug)]
pub(crate) struct PageRequest<P> {
    /// The most items that it has.
    pub(crate) limit: u32,
    seal: Seal,
    /// It begins behind this place; none at the beginning of the list.
    pub(crate) from: Option<P>,
}

impl<P: Position> PageRequest<P> {
    /// Takes `limit` and `cursor` from a query. The cursor must be one of this list: `list` names it, `scope` says which
    /// source systems it shows.
    pub(crate) fn take(query: &mut Query, list: &str, scope: &str) -> Self {
        let limit = query.value("limit", |text| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let number = if digits { text.parse().unwrap_or(u32::MAX) } else { 0 };
            if number == 0 { Err("must be a whole number from 1 to 200") } else { Ok(number.min(LIMIT_MAX)) }
        });
        let seal = Seal::of(list, scope, query.filters());
        let from = query.value("cursor", |text| seal.read(text));
        Self { limit: limit.unwrap_or(LIMIT_DEFAULT), seal, from }
    }

    /// The page of what was read.
    ///
    /// # Errors
    /// When an item has no body.
    pub(crate) fn page<'a, T, B, E>(
        &self,
        read: &'a ListPart<T, P>,
        body: impl Fn(&'a T) -> Result<B, E>,
    ) -> Result<PageBody<B>, E> {
        Ok(PageBody {
            items: read.items.iter().map(body).collect::<Result<_, E>>()?,
            unreadable: read.unreadable.iter().map(UnreadableBody::of).collect(),
            has_more: read.has_more,
            next_cursor: read.next.as_ref().map(|next| self.seal.write(next)),
        })
    }
}

/// A page with nothing on it.
pub(crate) fn empty_page<B>() -> PageBody<B> {
    PageBody { items: Vec::new(), unreadable: Vec::new(), has_more: false, next_cursor: None }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::store::reading::{AuditEventPosition, EventPlace, Reached};

    fn requested(text: &str) -> (PageRequest<AuditEventPosition>, Result<(), Vec<String>>) {
        let mut query = Query::read(text);
        query.text("organizer");
        let page = PageRequest::take(&mut query, "events", "crm");
        let closed = query.close();
        (page, closed.map_err(|problem| problem.places().into_iter().map(ToOwned::to_owned).collect()))
    }

    /// The size of a page is the default, what the request asks for, or the largest; never zero.
    #[test]
    fn the_size_of_a_page_has_limits() {
        for (text, expected) in [
            ("", Some(50)),
            ("limit=1", Some(1)),
            ("limit=200", Some(200)),
            ("limit=201", Some(200)),
            ("limit=99999999999", Some(200)),
            ("limit=0", None),
            ("limit=-1", None),
            ("limit=+5", None),
            ("limit=ten", None),
        ] {
            let (page, closed) = requested(text);
            match expected {
                Some(limit) => assert_eq!((page.limit, closed), (limit, Ok(())), "{text}"),
                None => assert_eq!(closed, Err(vec!["limit".to_owned()]), "{text}"),
            }
        }
    }

    /// A page carries the cursor of the place where reading goes on, and none where nothing can follow.
    #[test]
    fn a_page_leads_to_the_next_one() {
        let reached = Reached::Behind(EventPlace { transaction_id: 1, event_id: 6 });
        let place = AuditEventPosition { timeline: None, reached };
        let page_of = |text: &str, next: Option<AuditEventPosition>| {
            let (page, closed) = requested(text);
            closed.unwrap();
            let read = ListPart { items: vec![7, 6], unreadable: Vec::new(), has_more: next.is_some(), next };
            let page = page.page(&read, |n| Ok::<_, Infallible>(*n)).unwrap();
            (page.items, page.next_cursor)
        };
        assert_eq!(page_of("limit=2", None), (vec![7, 6], None));
        let (items, cursor) = page_of("limit=2&organizer=a", Some(place.clone()));
        assert_eq!(items, [7, 6]);
        let cursor = cursor.unwrap();
        assert_eq!(requested(&format!("cursor={cursor}&organizer=a")).0.from, Some(place));
        let (_, closed) = requested(&format!("cursor={cursor}&organizer=b"));
        assert_eq!(closed, Err(vec!["cursor".to_owned()]));
    }
}
