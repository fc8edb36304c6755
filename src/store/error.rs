//! Why the store can't say.

/// `SQLSTATE`s (PostgreSQL, appendix A) with which a connection ends: class 08, and a server that shuts down.
const LOST: [&str; 2] = ["08", "57P"];
/// Those that pass by waiting: a lost connection, 53 out of resources, 40 a transaction to be run again, 25006 a
/// server that is read-only after a failover, 57014 a statement that took too long, 42P01 and 42703 a schema that is
/// not migrated yet.
const PASSING: [&str; 8] = ["08", "57P", "53", "40", "25006", "57014", "42P01", "42703"];

/// Why the store can't say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Postgres can't be reached, or broke off: nothing is known of the statement's fate.
    #[error("Postgres can't be reached")]
    Unreachable(#[source] sqlx::Error),
    /// Postgres refused the statement.
    #[error("Postgres refused a statement")]
    Refused(#[source] sqlx::Error),
    /// A row says something that it can't mean.
    #[error("row {id} of table {table} can't be read: column {column}: {detail}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        id: String,
        /// What is wrong.
        detail: String,
    },
    /// A meeting would belong to two bookings.
    #[error("meeting {0} belongs to another booking already")]
    MeetingTaken(String),
    /// A migration failed.
    #[error("the schema can't be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The setting `database.url` can't be read.
    #[error("database.url can't be read")]
    Url(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether it may pass by waiting.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// Whether the same statement may succeed at once on another connection.
    pub(super) fn is_lost_connection(&self) -> bool {
        match self {
            Self::Unreachable(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => false,
            Self::Unreachable(sqlx::Error::Database(database)) => {
                database.code().is_some_and(|code| LOST.iter().any(|class| code.starts_with(class)))
            }
            Self::Unreachable(_) => true,
            _ => false,
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            other => Self::Migration(other),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let refused = match &error {
            sqlx::Error::Database(database) => {
                !database.code().is_some_and(|code| PASSING.iter().any(|class| code.starts_with(class)))
            }
            sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
            _ => false,
        };
        if refused { Self::Refused(error) } else { Self::Unreachable(error) }
    }
}
