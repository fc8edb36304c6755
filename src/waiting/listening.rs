//! Hears what the other replicas publish, over one connection that is made anew whenever it is lost.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::notices::{NoticeEffects, Notification};
use super::wait::Waiting;
use crate::booking::ExternalId;
use crate::error_chain::chain;
use crate::store::{Listener, Notice, ReceivedNotice, StoreError};

/// Rest before a listener that was lost is connected again.
const LISTEN_AGAIN: Duration = Duration::from_millis(250);
/// A listener that hears nothing so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);
/// How long the loopback probe, our own first notice, may take to come back. If it doesn't, something between this replica
/// and Postgres drops notices.
const LOOPBACK_TIMEOUT: Duration = Duration::from_secs(5);
/// Rest before such a listener is tried again.
const LISTEN_AGAIN_NOT_DELIVERED: Duration = Duration::from_mins(1);

/// How long another replica's request may say that it waits; requests wait for minutes at most.
const AWAITED_LONGEST: Duration = Duration::from_hours(1);

/// Why a listener is to be replaced.
enum Disconnect {
    Stopped,
    Lost(StoreError),
    Silent,
    NotSent,
    NotDelivered,
}

impl Waiting {
    /// Listens until it is told to stop.
    pub(super) async fn listen(&self, effects: &dyn NoticeEffects, stop: &CancellationToken) {
        let mut warned = false;
        while !stop.is_cancelled() {
            let disconnect = match self.store.listen().await {
                Ok(listener) => self.hear_all(listener, effects, stop).await,
                Err(error) => Disconnect::Lost(error),
            };
            if self.notices.set_delivered(false) {
                warned = false;
            }
            self.metrics.set_listening(false);
            // Requests that relied on notices look for themselves from now on.
            self.registry.wake_all();
            let is_dropped = matches!(disconnect, Disconnect::NotDelivered);
            let rest = if is_dropped { LISTEN_AGAIN_NOT_DELIVERED } else { LISTEN_AGAIN };
            if !warned {
                disconnect.warn();
                warned = true;
            }
            // Told to stop or not, the loop's head sees.
            let _stopped = tokio::time::timeout(rest, stop.cancelled()).await;
        }
    }

    async fn hear_all(
        &self,
        mut listener: Listener,
        effects: &dyn NoticeEffects,
        stop: &CancellationToken,
    ) -> Disconnect {
        let (published, mut is_published) = oneshot::channel();
        self.notices.publish(Notification::Listening(published));
        // None while our first notice is not sent: until then there is nothing to come back.
        let mut loopback_by = None;
        loop {
            let is_awaited = !self.notices.is_delivered();
            let silence = loopback_by.filter(|_| is_awaited).unwrap_or_else(|| Instant::now() + SILENCE);
            let next = tokio::select! {
                () = stop.cancelled() => return Disconnect::Stopped,
                sent = &mut is_published, if loopback_by.is_none() => {
                    if sent.is_err() {
                        return Disconnect::NotSent;
                    }
                    loopback_by = Some(Instant::now() + LOOPBACK_TIMEOUT);
                    continue;
                }
                next = tokio::time::timeout_at(silence, listener.hear()) => next,
            };
            match next {
                Ok(Ok(received)) => self.receive(received, effects),
                Ok(Err(error)) => return Disconnect::Lost(error),
                Err(_) if is_awaited && loopback_by.is_some() => return Disconnect::NotDelivered,
                Err(_) if listener.is_alive().await => {}
                Err(_) => return Disconnect::Silent,
            }
        }
    }

    fn receive(&self, received: ReceivedNotice, effects: &dyn NoticeEffects) {
        self.metrics.notice_heard(received.notice.kind());
        if received.from == self.notices.replica {
            if received.notice == Notice::Listening && !self.notices.set_delivered(true) {
                tracing::debug!("listening to the other replicas");
                self.metrics.set_listening(true);
                // What was published before is lost: waiting requests look, and tell that they wait.
                self.registry.wake_all();
            }
            return;
        }
        match received.notice {
            // That replica has heard nothing before: waiting requests look, and tell it that they wait.
            Notice::Listening => self.registry.wake_all(),
            Notice::Due => effects.work_is_due(),
            Notice::Paused => effects.pauses_have_changed(),
            Notice::Settled(external_ids) => {
                for external_id in external_ids {
                    self.registry.wake(external_id);
                }
            }
            Notice::Awaited { external_ids, lasting } => {
                for external_id in self.settled_among(external_ids, lasting) {
                    self.notices.publish(Notification::Settled(external_id));
                }
            }
        }
    }

    /// Notes that requests elsewhere wait for these bookings; says which of them were settled here a moment ago.
    fn settled_among(&self, external_ids: Vec<ExternalId>, lasting: Duration) -> Vec<ExternalId> {
        let (now, lasting) = (Instant::now(), lasting.min(AWAITED_LONGEST));
        let mut remote_waiters = self.remote_waiters();
        let awaited = external_ids.into_iter();
        awaited.filter(|external_id| remote_waiters.register(*external_id, now + lasting, now)).collect()
    }
}

impl Disconnect {
    fn warn(&self) {
        match self {
            Self::Stopped => {}
            Self::Lost(error) => {
                let error = chain(error);
                tracing::warn!(
                    error,
                    "the listener is lost, connecting again; requests that wait look often"
                );
            }
            Self::Silent => tracing::warn!("the listener does not answer, connecting again"),
            Self::NotSent => tracing::warn!(
                "this replica can't send notices, so it can't tell whether it receives any; connecting again"
            ),
            Self::NotDelivered => tracing::warn!(
                "LISTEN works, but notices do not arrive: if a pooler is in between, set database.listen = false"
            ),
        }
    }
}
