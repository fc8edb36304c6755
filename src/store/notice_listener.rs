//! Sends and receives notices, by NOTIFY and LISTEN.
//!
//! A commit that contains a NOTIFY takes a lock that all commits of the whole cluster with one in them queue for. So no
//! statement of `writing` contains one: notices are sent by statements of their own, many at once.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::PgListener;

use super::Store;
use super::error::StoreError;
use super::notice::{Notice, ReceivedNotice, ReplicaId};
use super::postgres::again_if_lost;

/// The channel; it belongs to the database, as our tables do.
const CHANNEL: &str = "meeting_provisioner";
/// Longest that the connection may take to answer when it is asked whether it is still there.
const ALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// The one connection by which a replica receives notices.
pub(crate) struct Listener(PgListener);

impl Store {
    /// Sends these notices to every replica that listens, this one included.
    ///
    /// May be repeated: a replica that receives a notice twice looks twice.
    pub(crate) async fn publish_notices(
        &self,
        from: ReplicaId,
        notices: &[Notice],
    ) -> Result<(), StoreError> {
        let messages: Vec<String> = notices.iter().flat_map(|notice| notice.messages(from)).collect();
        again_if_lost!(self, async {
            sqlx::query!(
                r#"select count(pg_notify($1, message)) as "count!" from unnest($2::text[]) as message"#,
                CHANNEL,
                &messages
            )
            .fetch_one(&mut self.connections.acquire().await?)
            .await?;
            Ok(())
        })
    }

    /// Connects and begins to listen, on a connection that is none of the pool's.
    pub(crate) async fn listen(&self) -> Result<Listener, StoreError> {
        // A pool for each: the connection of the one before may be hanging, and would be waited for.
        let pool = self.connections.one_apart("meeting-provisioner-listener");
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Listener(listener))
    }
}

impl Listener {
    /// The next notice. An error means that the connection is lost, and with it what was sent since.
    pub(crate) async fn hear(&mut self) -> Result<ReceivedNotice, StoreError> {
        loop {
            let Some(message) = self.0.try_recv().await? else {
                let lost = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
                return Err(sqlx::Error::Io(lost).into());
            };
            if let Some(received) = ReceivedNotice::parse(message.payload()) {
                return Ok(received);
            }
            tracing::debug!(
                message = message.payload(),
                "a notice of a kind that this version does not know"
            );
        }
    }

    /// Whether the connection still answers: one whose other end has vanished would be silent for ever.
    pub(crate) async fn is_alive(&mut self) -> bool {
        matches!(tokio::time::timeout(ALIVE_TIMEOUT, self.0.execute("select 1")).await, Ok(Ok(_)))
    }
}
