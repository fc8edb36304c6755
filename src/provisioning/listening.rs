//! Hears what the other replicas tell, over one connection that is made anew whenever it is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Provisioning;
use super::notices::Word;
use crate::booking::ExternalId;
use crate::store::{Heard, Listener, Notice, StoreError};

/// Rest before a listener that was lost is connected again.
const LISTEN_AGAIN: Duration = Duration::from_millis(250);
/// A listener that hears nothing so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);
/// How long our own voice may take to come back. If it doesn't, something between us and Postgres swallows notices.
const ECHO_TIMEOUT: Duration = Duration::from_secs(5);
/// Rest before such a listener is tried again.
const LISTEN_AGAIN_SWALLOWED: Duration = Duration::from_mins(1);
/// Why a listener is to be replaced.
enum Deaf {
    Stopped,
    Lost(StoreError),
    Silent,
    Swallowed,
}

impl Provisioning {
    /// Listens until it is told to stop.
    pub(super) async fn listen(&self, stop: &CancellationToken) {
        let mut warned = false;
        while !stop.is_cancelled() {
            let deaf = match self.store.listen().await {
                Ok(listener) => self.hear_all(listener, stop).await,
                Err(error) => Deaf::Lost(error),
            };
            if self.notices.hears.swap(false, Ordering::AcqRel) {
                warned = false;
            }
            self.metrics.set_listening(false);
            // Whoever relied on being told looks for itself from now on.
            self.waiting.wake_all();
            let rest = if matches!(deaf, Deaf::Swallowed) { LISTEN_AGAIN_SWALLOWED } else { LISTEN_AGAIN };
            if !warned {
                deaf.warn();
                warned = true;
            }
            // Told to stop or not, the loop's head sees.
            let _stopped = tokio::time::timeout(rest, stop.cancelled()).await;
        }
    }

    async fn hear_all(&self, mut listener: Listener, stop: &CancellationToken) -> Deaf {
        self.notices.tell(Word::Listening);
        let echo_by = Instant::now() + ECHO_TIMEOUT;
        loop {
            let is_heard = self.notices.hears();
            let silence = if is_heard { Instant::now() + SILENCE } else { echo_by };
            let next = tokio::select! {
                () = stop.cancelled() => return Deaf::Stopped,
                next = tokio::time::timeout_at(silence, listener.hear()) => next,
            };
            match next {
                Ok(Ok(notice)) => self.heard(notice),
                Ok(Err(error)) => return Deaf::Lost(error),
                Err(_) if !is_heard => return Deaf::Swallowed,
                Err(_) if listener.is_alive().await => {}
                Err(_) => return Deaf::Silent,
            }
        }
    }

    fn heard(&self, heard: Heard) {
        self.metrics.notice_heard(heard.notice.kind());
        if heard.from == self.notices.replica {
            if heard.notice == Notice::Listening && !self.notices.hears.swap(true, Ordering::AcqRel) {
                tracing::debug!("listening to the other replicas");
                self.metrics.set_listening(true);
                // What was told before is lost: whoever waits looks, and tells that it waits.
                self.waiting.wake_all();
            }
            return;
        }
        match heard.notice {
            // It has heard nothing before: whoever waits looks, and tells it so.
            Notice::Listening => self.waiting.wake_all(),
            Notice::Due => self.alarm.set(self.clock.now()),
            Notice::Paused { scope, until } => self.heed(&scope, until),
            Notice::Settled(bookings) => bookings.into_iter().for_each(|booking| self.waiting.wake(booking)),
            Notice::Awaited { bookings, lasting } => {
                let now = Instant::now();
                let settled: Vec<ExternalId> = self.elsewhere(|elsewhere| {
                    let awaited = bookings.into_iter();
                    awaited.filter(|booking| elsewhere.await_until(*booking, now + lasting, now)).collect()
                });
                for booking in settled {
                    self.notices.tell(Word::Settled(booking));
                }
            }
        }
    }
}

impl Deaf {
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
            Self::Swallowed => tracing::warn!(
                "LISTEN works, but what is told does not arrive: if a pooler is in between, set database.listen = false"
            ),
        }
    }
}
