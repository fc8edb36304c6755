//! Runs sqlx's statements on a [`Connection`], and notes when one has ended well. No other code has to: a connection whose
//! statement failed, or was given up half-way, is never kept.

use std::future::ready;
use std::task::{Poll, ready as when_ready};

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, once, poll_fn};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, Postgres, SqlStr};

use super::connections::{Connection, StatementEnd};

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, end) = match self.begin_statement() {
            Ok(begun) => begun,
            Err(error) => return Box::pin(once(ready(Err(error)))),
        };
        let mut steps = connection.fetch_many(query);
        let mut end = Some(end);
        Box::pin(poll_fn(move |context| {
            let step = when_ready!(steps.as_mut().poll_next(context));
            match &step {
                Some(Ok(_)) => {}
                Some(Err(_)) => end = None,
                None => end.take().into_iter().for_each(StatementEnd::well),
            }
            Poll::Ready(step)
        }))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let (connection, end) = self.begin_statement()?;
            let row = connection.fetch_optional(query).await?;
            end.well();
            Ok(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let (connection, end) = self.begin_statement()?;
            let prepared = connection.prepare_with(sql, parameters).await?;
            end.well();
            Ok(prepared)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let (connection, end) = self.begin_statement()?;
            let described = connection.describe(sql).await?;
            end.well();
            Ok(described)
        })
    }
}
