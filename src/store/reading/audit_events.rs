//! Pages of history.

use super::audit_event_position::AuditEventPosition;
use super::event_search::EventSearch;
use super::list_part::ListPart;
use crate::audit::{AuditEvent, AuditEventFilter, Order};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Up to `limit` events from a place on.
    ///
    /// The history of one booking is in the order in which its events were numbered. That of all bookings is in the order
    /// of the transactions that wrote them; of it `EXAMINED_MAX` events are looked through at most, so that there may be
    /// fewer, or none, and more behind them.
    ///
    /// Oldest first, there is always a place where the next read goes on, and a reader that follows the list misses no
    /// event that is committed late. Of all bookings the list ends before the first transaction that is still under way.
    /// Of one booking nothing is held back: each generation writes its events one after another under the lock of its
    /// row, as cancels that come before the booking do, so the place is the number of the last event read of each.
    ///
    /// # Errors
    /// `PositionLost` where, oldest first, the place is one of a history that the database no longer has.
    pub(crate) async fn audit_events(
        &self,
        filter: &AuditEventFilter,
        order: Order,
        from: Option<&AuditEventPosition>,
        limit: u32,
    ) -> Result<ListPart<AuditEvent, AuditEventPosition>, StoreError> {
        again_if_lost!(self, async {
            let mut connection = self.connections.acquire().await?;
            let search = EventSearch::begin(filter, order, limit, &mut connection).await?;
            let read = search.read(from, &mut connection).await?;
            let part = ListPart::of(self, read.rows, read.next, AuditEvent::try_from);
            Ok(ListPart { has_more: read.has_more, ..part })
        })
    }

    /// Whether events bear the numbers of transactions that this server has not run, as after a restore into a new
    /// cluster: then the list of all events, oldest first, is not to be trusted until they are renumbered.
    pub(crate) async fn has_foreign_transactions(&self) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"
            select exists (
                select from audit_event where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
            ) as "found!"
            "#
        );
        Ok(found.fetch_one(&mut self.connections.acquire().await?).await?)
    }
}
