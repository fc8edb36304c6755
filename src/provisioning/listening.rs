//! Hears what the other replicas tell, over one connection that is made anew whenever it is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Provisioning;
use super::notices::Notification;
use crate::booking::ExternalId;
use crate::store::{Listener, Notice, ReceivedNotice, StoreError};

/// Rest before a listener that was lost is connected again.
const LISTEN_AGAIN: Duration = Duration::from_millis(250);
/// A listener that hears nothing so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);
/// How long our own voice may take to come back. If it doesn't, something between us and Postgres swallows notices.
const ECHO_TIMEOUT: Duration = Duration::from_secs(5);
/// Rest before such a listener is tried again.
const LISTEN_AGAIN_NOT_DELIVERED: Duration = Duration::from_mins(1);
/// Why a listener is to be replaced.
enum Disconnect {
    Stopped,
    Lost(StoreError),
    Silent,
    NotDelivered,
}

impl Provisioning {
    /// Listens until it is told to stop.
    pub(super) async fn listen(&self, stop: &CancellationToken) {
        let mut warned = false;
        while !stop.is_cancelled() {
            let disconnect = match self.store.listen().await {
                Ok(listener) => self.hear_all(listener, stop).await,
                Err(error) => Disconnect::Lost(error),
            };
            if self.notices.hears.swap(false, Ordering::AcqRel) {
                warned = false;
            }
            self.metrics.set_listening(false);
            // Whoever relied on being told looks for itself from now on.
            self.waiting.wake_all();
            let rest = if matches!(disconnect, Disconnect::NotDelivered) {
                LISTEN_AGAIN_NOT_DELIVERED
            } else {
                LISTEN_AGAIN
            };
            if !warned {
                disconnect.warn();
                warned = true;
            }
            // Told to stop or not, the loop's head sees.
            let _stopped = tokio::time::timeout(rest, stop.cancelled()).await;
        }
    }

    async fn hear_all(&self, mut listener: Listener, stop: &CancellationToken) -> Disconnect {
        self.notices.publish(Notification::Listening);
        let echo_by = Instant::now() + ECHO_TIMEOUT;
        loop {
            let is_heard = self.notices.hears();
            let silence = if is_heard { Instant::now() + SILENCE } else { echo_by };
            let next = tokio::select! {
                () = stop.cancelled() => return Disconnect::Stopped,
                next = tokio::time::timeout_at(silence, listener.hear()) => next,
            };
            match next {
                Ok(Ok(notice)) => self.received(notice),
                Ok(Err(error)) => return Disconnect::Lost(error),
                Err(_) if !is_heard => return Disconnect::NotDelivered,
                Err(_) if listener.is_alive().await => {}
                Err(_) => return Disconnect::Silent,
            }
        }
    }

    fn received(&self, received: ReceivedNotice) {
        self.metrics.notice_heard(received.notice.kind());
        if received.from == self.notices.replica {
            if received.notice == Notice::Listening && !self.notices.hears.swap(true, Ordering::AcqRel) {
                tracing::debug!("listening to the other replicas");
                self.metrics.set_listening(true);
                // What was told before is lost: whoever waits looks, and tells that it waits.
                self.waiting.wake_all();
            }
            return;
        }
        match received.notice {
            // It has heard nothing before: whoever waits looks, and tells it so.
            Notice::Listening => self.waiting.wake_all(),
            Notice::Due => self.alarm.set(self.clock.now()),
            Notice::Paused { scope, until } => self.apply_pause(&scope, until),
            Notice::Settled(external_ids) => {
                for external_id in external_ids {
                    self.waiting.wake(external_id);
                }
            }
            Notice::Awaited { external_ids, lasting } => {
                let now = Instant::now();
                let settled: Vec<ExternalId> = self.remote_waiters(|remote_waiters| {
                    let awaited = external_ids.into_iter();
                    awaited
                        .filter(|external_id| remote_waiters.await_until(*external_id, now + lasting, now))
                        .collect()
                });
                for external_id in settled {
                    self.notices.publish(Notification::Settled(external_id));
                }
            }
        }
    }
}

impl Disconnect {
    fn warn(&self) {
        match self {
            Self::Stopped => {}
            Self::Lost(error) => {
                let error = error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "the listener is lost, connecting again; requests that wait look often"
                );
            }
            Self::Silent => tracing::warn!("the listener does not answer, connecting again"),
            Self::NotDelivered => tracing::warn!(
                "LISTEN works, but what is told does not arrive: if a pooler is in between, set database.listen = false"
            ),
        }
    }
}
