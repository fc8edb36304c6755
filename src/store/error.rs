//! Why the store has no answer.

/// `SQLSTATE`s (PostgreSQL, appendix A) with which a connection ends: class 08, a server that shuts down, and sessions
/// that were too long idle or in a transaction.
const LOST: [&str; 3] = ["08", "57P", "25P0"];
/// A transaction that was rolled back because of others, and may succeed when it is run again: class 40.
const ROLLED_BACK: &str = "40";
/// A server, or a session on it, that takes no writes.
const READ_ONLY: &str = "25006";
/// Those that pass by waiting: a lost connection, 53 out of resources (a full disk is 53100), 58 the server's own
/// system, 55P03 a lock that another transaction holds, 57014 a statement that took too long, 42P01 and 42703 a schema that is
/// not migrated yet.
const PASSING: [&str; 11] =
    ["08", "57P", "25P0", ROLLED_BACK, READ_ONLY, "53", "58", "55P03", "57014", "42P01", "42703"];

/// How a statement that failed may be run again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// On another connection, for this one is lost.
    OnAnotherConnection,
    /// As it is: it was rolled back.
    AsItIs,
    /// On a connection that is opened anew: those that we have may be the only ones that take no writes.
    OnRecycledConnection,
}

/// Why the store has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Postgres can't be reached, or broke off: nothing is known of the statement's fate.
    #[error("Postgres can't be reached")]
    Unreachable(#[source] sqlx::Error),
    /// Postgres refused the statement.
    #[error("Postgres refused a statement")]
    Refused(#[source] sqlx::Error),
    /// A row holds something that can't be.
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
    /// Another process migrates, or hangs while it does.
    #[error("another process migrates the schema: {0}")]
    MigrationsLocked(String),
    /// A migration failed.
    #[error("the schema can't be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The setting `database.url` can't be read.
    #[error("database.url can't be read")]
    Url(#[source] sqlx::Error),
}

impl StoreError {
    /// No answer came within this time; nothing is known of the statement's fate.
    pub(crate) fn no_answer() -> Self {
        Self::Unreachable(sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut)))
    }

    /// Postgres is there and takes no writes.
    pub(super) fn read_only() -> Self {
        let detail = "Postgres takes no writes: it is a standby, or set to be read-only";
        Self::Unreachable(sqlx::Error::Io(std::io::Error::other(detail)))
    }

    /// What Postgres refused, in words that hold nothing of what was to be stored.
    pub(crate) fn refusal(&self) -> String {
        let Self::Refused(sqlx::Error::Database(database)) = self else { return "not stored".to_owned() };
        let code = database.code().unwrap_or_default();
        match database.constraint() {
            Some(constraint) => format!("SQLSTATE {code}, constraint {constraint}"),
            None => format!("SQLSTATE {code}"),
        }
    }

    /// Whether it may pass by waiting.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::MigrationsLocked(_))
    }

    /// Whether the connection was lost, so that nothing is known of the statement's fate and another connection may do
    /// better.
    pub(crate) fn is_lost_connection(&self) -> bool {
        self.again() == Some(Again::OnAnotherConnection)
    }

    /// Whether it says something about Postgres, and not about how much we ask of it.
    pub(super) fn is_postgres_away(&self) -> bool {
        self.may_pass() && !matches!(self, Self::Unreachable(sqlx::Error::PoolTimedOut))
    }

    /// How the same statement may succeed at once.
    pub(super) fn again(&self) -> Option<Again> {
        match self {
            Self::Unreachable(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => None,
            Self::Unreachable(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => None,
            Self::Unreachable(sqlx::Error::Database(database)) => {
                let code = database.code()?;
                if LOST.iter().any(|class| code.starts_with(class)) {
                    return Some(Again::OnAnotherConnection);
                }
                if code == READ_ONLY {
                    return Some(Again::OnRecycledConnection);
                }
                code.starts_with(ROLLED_BACK).then_some(Again::AsItIs)
            }
            Self::Unreachable(_) => Some(Again::OnAnotherConnection),
            _ => None,
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
