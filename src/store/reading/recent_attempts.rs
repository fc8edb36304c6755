//! How the latest bookings for an organizer went.
//!
//! The organizer stands in the places between which bookings are read, not in a condition of its own: that leaves Postgres no
//! other way than along the index, however many bookings it expects.

use super::search_bounds::EXAMINED_MAX;
use crate::booking::{Organizer, SourceSystem, UserId};
use crate::clock::Timestamp;
use crate::meeting::{Failure, RecentAttempts};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// How the bookings for an organizer went that were accepted since a time: those of one source system, or of all.
    /// `user_id` is the organizer's object id where Graph told it; without, it is what bookings were found to say of the name.
    /// The bookings of that user count whatever they call it. A refusal counts if it is about the organizer and the
    /// booking has had no success since. Of an organizer with very many bookings only the latest [`EXAMINED_MAX`] are read.
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
                with latest as (
                    select of_user.* from unnest((select organizer_ids_of(coalesce($3::uuid::text, $4)))) as id
                    cross join lateral (
                        select source_system, provisioned_at, last_error from booking
                        where organizer_id is not null and (organizer_id, created_at) >= (id, $1)
                            and (organizer_id, created_at) <= (id, 'infinity')
                        order by organizer_id desc, created_at desc
                        limit $5
                    ) as of_user
                    union all
                    select of_name.* from unnest(array[lower($4), $3::uuid::text]) as name
                    cross join lateral (
                        select source_system, provisioned_at, last_error from booking
                        where organizer_id is null and (lower(organizer), created_at) >= (name, $1)
                            and (lower(organizer), created_at) <= (name, 'infinity')
                        order by lower(organizer) desc, created_at desc
                        limit $5
                    ) as of_name
                ),
                recent as (
                    select provisioned_at, (last_error->>'at')::timestamptz as failed_at,
                        last_error->>'code' as code, last_error->'graph'->>'status' as status
                    from latest where $2::text is null or source_system = $2
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
                i64::from(EXAMINED_MAX),
            )
            .fetch_one(&mut self.connections.acquire().await?)
            .await?;
            let code = row.code.as_deref();
            let failure = Failure::ALL.into_iter().find(|failure| Some(failure.code()) == code);
            Ok(RecentAttempts { since, succeeded_at: row.succeeded_at, refused: row.refused_at.zip(failure) })
        })
    }

    /// Whether a source system has a booking, of whatever status, whose organizer is this user: among the user's latest
    /// [`EXAMINED_MAX`], so that bookings of others can't make the question costly.
    pub(crate) async fn has_bookings_of(
        &self,
        organizer: UserId,
        source_system: &SourceSystem,
    ) -> Result<bool, StoreError> {
        again_if_lost!(self, async {
            let found = sqlx::query_scalar!(
                r#"
                select exists (
                    select from (
                        select source_system from booking
                        where organizer_id is not null and (organizer_id, created_at) >= ($1, '-infinity')
                            and (organizer_id, created_at) <= ($1, 'infinity')
                        order by organizer_id desc, created_at desc
                        limit $3
                    ) as latest
                    where source_system = $2
                ) as "found!"
                "#,
                organizer.uuid(),
                source_system.as_str(),
                i64::from(EXAMINED_MAX),
            );
            Ok(found.fetch_one(&mut self.connections.acquire().await?).await?)
        })
    }
}
