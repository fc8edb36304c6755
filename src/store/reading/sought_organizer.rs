//! Whom a search for an organizer means.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::search_bounds::few_limit;
use crate::store::StoreError;
use crate::store::connections::Connection;

/// The users whom an object id or a name means.
#[derive(Debug, Clone)]
pub(super) struct SoughtOrganizer {
    /// Their object ids: of a name that was given to another user both, of an unknown one none.
    ids: Vec<Uuid>,
    /// What bookings whose organizer's object id is not known yet may call them, in lower case.
    pub(super) names: Vec<String>,
}

impl SoughtOrganizer {
    /// The one that a filter names, if it names one.
    pub(super) async fn of(
        connection: &mut Connection,
        id_or_name: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(id_or_name) = id_or_name else { return Ok(None) };
        let found = sqlx::query!(
            r#"select organizer_ids_of($1) as "ids!", organizer_names_of($1) as "names!""#,
            id_or_name
        );
        let found = found.fetch_one(connection).await?;
        Ok(Some(Self { ids: found.ids, names: found.names }))
    }

    /// The one user with an object id, where no booking without one can be meant.
    pub(super) async fn only_id(&self, connection: &mut Connection) -> Result<Option<Uuid>, StoreError> {
        let &[id] = self.ids.as_slice() else { return Ok(None) };
        let others = sqlx::query_scalar!(
            r#"
            select exists (
                select from booking where organizer_id is null and lower(organizer) = any($1)
            ) as "others!"
            "#,
            &self.names
        );
        let others = others.fetch_one(connection).await?;
        Ok(Some(id).filter(|_| !others))
    }

    /// Some of their bookings: a limited number of each user and of each name, along their indexes.
    pub(super) fn push_some(&self, select: &str, query: &mut QueryBuilder<Postgres>) {
        query.push(format_args!("select {select} from unnest(")).push_bind(self.ids.clone());
        query.push(
            ") as id cross join lateral (
                select * from booking
                where organizer_id is not null and (organizer_id, created_at) >= (id, '-infinity')
                    and (organizer_id, created_at) <= (id, 'infinity')
                order by organizer_id, created_at
                limit ",
        );
        query.push_bind(few_limit());
        query.push(format_args!(") as booking union all select {select} from unnest("));
        query.push_bind(self.names.clone());
        query.push(
            ") as name cross join lateral (
                select * from booking
                where organizer_id is null and (lower(organizer), created_at) >= (name, '-infinity')
                    and (lower(organizer), created_at) <= (name, 'infinity')
                order by lower(organizer), created_at
                limit ",
        );
        query.push_bind(few_limit()).push(") as booking");
    }

    /// The condition that a row of `booking` is one of theirs.
    pub(super) fn push_is_theirs(&self, query: &mut QueryBuilder<Postgres>) {
        query.push("(booking.organizer_id = any(").push_bind(self.ids.clone());
        query.push(") or (booking.organizer_id is null and lower(booking.organizer) = any(");
        query.push_bind(self.names.clone()).push(")))");
    }
}
