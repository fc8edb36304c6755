//! What one read of a list returns.

use crate::store::{Store, StoreError};

/// About how many bytes of stored JSON one read of a list takes: it ends with the row that reaches them. With as many
/// replicas' worth of readers as `http.requests_max` this is the memory of their lists, and it is far more than a page
/// of usual bookings has.
pub(super) const BYTES_MAX: u32 = 2 * 1024 * 1024;

/// Some items of a list, in its order.
#[derive(Debug)]
pub(crate) struct ListPart<T, P> {
    /// At most as many as were asked for, and about [`BYTES_MAX`] bytes of them; none where filters left out all that was
    /// looked through.
    pub(crate) items: Vec<T>,
    /// Rows that this version can't read. The list goes on behind them: one bad row hides no other.
    pub(crate) unreadable: Vec<UnreadableRow>,
    /// Where the next read goes on; none where nothing can follow.
    pub(crate) next: Option<P>,
    /// Whether there may be more by now; where not, a next place leads to what is yet to come.
    pub(crate) has_more: bool,
}

/// Which row can't be read: one that a newer version wrote, as while replicas are replaced or after one was taken back, or
/// one that was changed by hand. Why stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnreadableRow {
    /// Its source system, as it stands there.
    pub(crate) source_system: String,
    /// Its booking.
    pub(crate) booking_id: String,
    /// Its generation.
    pub(crate) generation: i32,
    /// Its number, if it is an event.
    pub(crate) event_id: Option<i64>,
}

impl<T, P> ListPart<T, P> {
    /// A part of rows, with more behind it where there is a next place; what can't be read is told apart.
    pub(super) fn of<R: RowKey>(
        store: &Store,
        rows: Vec<R>,
        next: Option<P>,
        read: impl Fn(R) -> Result<T, StoreError>,
    ) -> Self {
        let items = Vec::with_capacity(rows.len());
        let mut part = Self { items, unreadable: Vec::new(), has_more: next.is_some(), next };
        for row in rows {
            let key = row.key();
            match store.read_row(|| read(row)) {
                Some(item) => part.items.push(item),
                None => part.unreadable.push(key),
            }
        }
        part
    }
}

/// A row that says which one it is, whether or not it can be read.
pub(super) trait RowKey {
    /// Which one it is.
    fn key(&self) -> UnreadableRow;
}

/// Cuts what a statement has read, which is one row more than the part has, where there is one more. Returns whether
/// there was.
pub(super) fn cut<R>(rows: &mut Vec<R>, limit: u32, bytes: impl Fn(&R) -> usize) -> bool {
    let mut bytes_before = 0;
    let fits = |row: &&R| {
        let fits = bytes_before < BYTES_MAX as usize;
        bytes_before += bytes(row);
        fits
    };
    let part = rows.iter().take(limit as usize).take_while(fits).count();
    let has_more = rows.len() > part;
    rows.truncate(part);
    has_more
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part ends with its limit or with the row that reaches the bytes, whichever is first, and has at least one row.
    #[test]
    fn a_part_ends_by_rows_and_by_bytes() {
        let max = BYTES_MAX as usize;
        for (rows, limit, expected, more) in [
            (vec![], 2, 0, false),
            (vec![1], 2, 1, false),
            (vec![1, 1], 2, 2, false),
            (vec![1, 1, 1], 2, 2, true),
            (vec![max * 9], 2, 1, false),
            (vec![max * 9, 1], 2, 1, true),
            (vec![max - 1, max, 1], 9, 2, true),
            (vec![max - 1, 1, 1], 9, 2, true),
            (vec![max, 1], 9, 1, true),
        ] {
            let mut read = rows.clone();
            assert_eq!((cut(&mut read, limit, |bytes| *bytes), read.len()), (more, expected), "{rows:?}");
        }
    }
}
