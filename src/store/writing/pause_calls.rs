//! Keeps what Graph asked to be paused, for the other replicas.

use crate::clock::Timestamp;
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Keeps that calls of a scope are to wait until then, or longer if that is known. What has been over for a day is deleted.
    ///
    /// May be repeated. It has no event: the answer that asked for it is in the history of its booking.
    pub(crate) async fn pause(&self, scope: &str, until: Timestamp) -> Result<(), StoreError> {
        write_again_if_lost!(self, async {
            sqlx::query!(
                r#"
                with forgotten as (
                    -- What is long over.
                    delete from graph_pause where paused_until < $2::timestamptz - interval '1 day' and scope <> $1
                )
                -- The longer of what is known and what is new.
                insert into graph_pause (scope, paused_until) values ($1, $2)
                on conflict (scope) do update
                    set paused_until = greatest(graph_pause.paused_until, excluded.paused_until)
                "#,
                scope,
                until,
            )
            .execute(&mut self.connections.acquire().await?)
            .await?;
            Ok(())
        })
    }
}
