//! How the latest bookings for an organizer went.

use crate::booking::{Organizer, SourceSystem, UserId};
use crate::clock::Timestamp;
use crate::meeting::{Failure, RecentAttempts};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// How the bookings for an organizer went that were accepted since a time: those of one source system, or of all.
    /// `user_id` is the organizer's object id where Graph told it; without, it is what bookings were found to say of the name.
    /// The bookings of that user count whatever they call it. A refusal counts if it is about the organizer and the
    /// booking has had no success since.
    pub(crate) async fn recent_attempts(
        &self,
        organizer: &Organizer,
        user_id: Option<UserId>,
        source_system: Option<&SourceSystem>,
        since: Timestamp,
    ) -> Result<RecentAttempts, StoreError> {
        again_if_lost!(self, async {
            let row = sqlx::query!(
                r#"
                with recent as (
                    select provisioned_at, (last_error->>'at')::timestamptz as failed_at,
                        last_error->>'code' as code, last_error->'graph'->>'status' as status
                    from booking
                    where created_at >= $1
                        and ($2::text is null or source_system = $2)
                        and (
                            organizer_id = any((select organizer_ids_of(coalesce($3::uuid::text, $4)))::uuid[])
                            or (organizer_id is null and lower(organizer) in (lower($4), $3::uuid::text))
                        )
                ),
                refused as (
                    select failed_at, code from recent
                    where code in ('organizer-not-permitted', 'organizer-not-found')
                        or (code = 'graph-refused' and status = '403')
                    order by failed_at desc
                    limit 1
                )
                select (select max(provisioned_at) from recent) as succeeded_at,
                    (select failed_at from refused) as refused_at,
                    (select code from refused) as code
                "#,
                since,
                source_system.map(SourceSystem::as_str),
                user_id.map(UserId::uuid),
                organizer.as_text(),
            )
            .fetch_one(&mut self.connections.acquire().await?)
            .await?;
            let code = row.code.as_deref();
            let failure = Failure::ALL.into_iter().find(|failure| Some(failure.code()) == code);
            Ok(RecentAttempts { since, succeeded_at: row.succeeded_at, refused: row.refused_at.zip(failure) })
        })
    }

    /// Whether a source system has a booking, of whatever status, whose organizer is this user.
    pub(crate) async fn has_bookings_of(
        &self,
        organizer: UserId,
        source_system: &SourceSystem,
    ) -> Result<bool, StoreError> {
        again_if_lost!(self, async {
            let found = sqlx::query_scalar!(
                r#"
                select exists (select from booking where organizer_id = $1 and source_system = $2) as "found!"
                "#,
                organizer.uuid(),
                source_system.as_str(),
            );
            Ok(found.fetch_one(&mut self.connections.acquire().await?).await?)
        })
    }
}
