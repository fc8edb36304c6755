//! Why the store has no answer.

use super::transport::Unverified;
use crate::clock::Timestamp;

/// `SQLSTATE`s (PostgreSQL, appendix A) with which a connection ends: class 08, a server that shuts down, and sessions
/// that were too long idle or in a transaction.
const LOST: [&str; 3] = ["08", "57P", "25P0"];
/// A transaction that was rolled back because of others, and may succeed when it is run again: class 40.
const ROLLED_BACK: &str = "40";
/// A server, or a session on it, that takes no writes.
const READ_ONLY: &str = "25006";
/// Those that pass by waiting: a lost connection, 53 out of resources (a full disk is 53100), 58 the server's own
/// system, 55P03 a lock that another transaction holds, 57014 a statement that took too long.
const PASSING: [&str; 9] = ["08", "57P", "25P0", ROLLED_BACK, READ_ONLY, "53", "58", "55P03", "57014"];
/// A table (42P01), a column (42703), a function (42883) or a type (42704) that is not there: the schema is not migrated yet,
/// or the database is another one.
const UNDEFINED: [&str; 4] = ["42P01", "42703", "42883", "42704"];

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
    /// As many of our connections as one source system may use are in use for this one; nothing was sent.
    #[error("this source system uses as many connections to Postgres as it may")]
    ShareUsedUp,
    /// The database lacks something of the schema that this program needs. It passes once the schema is migrated.
    #[error("the schema of this program is not in the database: not migrated, or another database")]
    NoSchema(#[source] sqlx::Error),
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
    /// A place in the history is one of a history that the database no longer has.
    #[error("the place in the history is one from before the database was restored or failed over")]
    PositionLost {
        /// From when on events are to be read again; nothing where that is not known.
        from: Option<Timestamp>,
    },
    /// A migration failed.
    #[error("the schema can't be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The setting `database.url` leads to another machine without verified TLS.
    #[error(
        "database.url leads to {0}: what stands on the way can read and change what is stored. {remedy}",
        remedy = Unverified::REMEDY
    )]
    UnverifiedTls(Unverified),
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
        matches!(
            self,
            Self::Unreachable(_) | Self::ShareUsedUp | Self::NoSchema(_) | Self::MigrationsLocked(_)
        )
    }

    /// Whether Postgres answers and lacks the schema of this program.
    pub(crate) fn is_without_schema(&self) -> bool {
        matches!(self, Self::NoSchema(_))
    }

    /// Whether the connection was lost, so that nothing is known of the statement's fate and another connection may do
    /// better.
    pub(crate) fn is_lost_connection(&self) -> bool {
        self.again() == Some(Again::OnAnotherConnection)
    }

    /// Whether it says something about Postgres, and not about how much we ask of it.
    pub(super) fn is_postgres_away(&self) -> bool {
        matches!(self, Self::Unreachable(error) if !matches!(error, sqlx::Error::PoolTimedOut))
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
            // A migration that names what is not there is not mended by waiting.
            sqlx::migrate::MigrateError::Execute(error) if !is_undefined(&error) => error.into(),
            other => Self::Migration(other),
        }
    }
}

fn is_undefined(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => database.code().is_some_and(|code| UNDEFINED.contains(&&*code)),
        // The type of a parameter, which sqlx looks for by its name.
        sqlx::Error::TypeNotFound { .. } => true,
        _ => false,
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_undefined(&error) {
            return Self::NoSchema(error);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A migration that names a table which is not there is final; a statement that does so waits for the migration.
    #[test]
    fn what_is_undefined_is_told_as_what_it_is() {
        let missing = || sqlx::Error::TypeNotFound { type_name: "booking_input".to_owned() };
        let statement = StoreError::from(missing());
        assert!(statement.is_without_schema() && statement.may_pass() && statement.again().is_none());
        assert!(!statement.to_string().contains("reached"));
        let migration = StoreError::from(sqlx::migrate::MigrateError::Execute(missing()));
        assert!(!migration.may_pass(), "{migration}");
    }
}
