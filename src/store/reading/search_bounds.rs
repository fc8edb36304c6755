//! How much a read of a list looks through.
//!
//! A list with filters is read in one of two ways, and neither depends on how many rows the table has. Where the filters name
//! something that an index finds few rows of, those are read and put in order. Otherwise the list is read along an index
//! that has its order, a number of rows at most: first the place is found where that number ends, and then the filters
//! are applied up to there. A part may have less than was asked for, or nothing, and still say where to go on.
//!
//! These queries are not prepared for later ones: a plan that Postgres makes once for all values is wrong for rare ones.

use sqlx::{Postgres, QueryBuilder};

use crate::store::StoreError;
use crate::store::connections::Connection;

/// Most rows of a list, in its order, to which one read applies its filters: some milliseconds of work. The tests of the store make do
/// with tables of some thousand rows.
pub(in crate::store) const EXAMINED_MAX: u32 = if cfg!(test) { 500 } else { 5_000 };
/// Up to so many rows are read as an index finds them, all over the table, and put in order.
pub(in crate::store) const FEW_MAX: u32 = EXAMINED_MAX / 5;

/// How many rows of few are asked for: one more, to see that there are more.
pub(super) fn few_limit() -> i64 {
    i64::from(FEW_MAX) + 1
}

/// Whether a query finds few rows. Each part of it reads along an index and has a limit.
pub(super) async fn are_few(
    connection: &mut Connection,
    mut found: QueryBuilder<Postgres>,
) -> Result<bool, StoreError> {
    found.push(") as found");
    let count: i64 = found.build_query_scalar().persistent(false).fetch_one(connection).await?;
    Ok(count <= i64::from(FEW_MAX))
}

/// The beginning of a query for [`are_few`]; what it counts follows.
pub(super) fn count_of() -> QueryBuilder<Postgres> {
    QueryBuilder::new("select count(*) from (")
}
