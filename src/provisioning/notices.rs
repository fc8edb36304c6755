//! What this replica tells the others and hears from them, so that nobody waits for longer than need be.
//!
//! A lost notice costs time and nothing else: whoever waits looks for itself, too.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Provisioning;
use super::elsewhere::Elsewhere;
use crate::booking::ExternalId;
use crate::clock::Timestamp;
use crate::store::{Notice, ReplicaId};

/// Most words that one statement carries.
const TOLD_AT_ONCE: usize = 4_096;
/// What is added to the time that a word is good for: it has a way to go, and the next one may be late.
const AWAITED_GRACE: Duration = Duration::from_secs(1);

/// What one replica tells and hears.
#[derive(Debug)]
pub(crate) struct Notices {
    pub(super) replica: ReplicaId,
    /// None where notices are neither told nor heard.
    outbox: Option<mpsc::UnboundedSender<Word>>,
    /// What the outbox holds, until the teller takes it over.
    unsent: Mutex<Option<mpsc::UnboundedReceiver<Word>>>,
    pub(super) hears: AtomicBool,
    elsewhere: Mutex<Elsewhere>,
}

/// One thing to be told.
#[derive(Debug)]
pub(super) enum Word {
    Listening,
    Due,
    Settled(ExternalId),
    Paused(String, Timestamp),
    /// Whoever waits wants to know when it is told; dropped untold when it could not be.
    Awaited(ExternalId, oneshot::Sender<()>),
}

impl Notices {
    /// Of this replica. Where `listens` is false it neither tells nor hears anything.
    pub(crate) fn of(replica: ReplicaId, listens: bool) -> Self {
        let (outbox, unsent) = mpsc::unbounded_channel();
        Self {
            replica,
            outbox: listens.then_some(outbox),
            unsent: Mutex::new(listens.then_some(unsent)),
            hears: AtomicBool::new(false),
            elsewhere: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, word: Word) {
        if let Some(outbox) = &self.outbox {
            // Nobody takes it any more once the replica has stopped.
            let _told = outbox.send(word);
        }
    }

    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Acquire)
    }
}

impl Provisioning {
    /// Tells and hears notices until it is told to stop; what is to be told by then is still told.
    pub(crate) async fn exchange_notices(self: Arc<Self>, stop: CancellationToken) {
        let unsent = self.notices.unsent.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(unsent) = unsent {
            tokio::join!(self.listen(&stop), self.tell_all(unsent, &stop));
        }
    }

    /// Tells the other replicas that a request here waits for this booking. Says whether they are told and this replica
    /// would hear their answer: then nothing that is settled from now on is missed.
    pub(super) async fn tell_awaited(&self, booking: ExternalId) -> bool {
        if !self.notices.hears() {
            return false;
        }
        let (told, is_told) = oneshot::channel();
        self.notices.tell(Word::Awaited(booking, told));
        is_told.await.is_ok() && self.notices.hears()
    }

    /// A booking stands otherwise than before: whoever waits for it is woken. Other replicas are told only if one of
    /// them waits, or if this one can't hear whether they do.
    pub(super) fn tell_settled(&self, booking: ExternalId) {
        if self.notices.outbox.is_some() {
            let awaited = self.elsewhere(|elsewhere| elsewhere.settled(booking, Instant::now()));
            if awaited || !self.notices.hears() {
                self.notices.tell(Word::Settled(booking));
            }
        }
        self.waiting.wake(booking);
    }

    /// Something is due that another replica may take.
    pub(super) fn tell_due(&self) {
        self.notices.tell(Word::Due);
    }

    async fn tell_all(&self, mut unsent: mpsc::UnboundedReceiver<Word>, stop: &CancellationToken) {
        let mut words = Vec::new();
        loop {
            let count = tokio::select! {
                biased;
                count = unsent.recv_many(&mut words, TOLD_AT_ONCE) => count,
                () = stop.cancelled() => {
                    unsent.close();
                    unsent.recv_many(&mut words, TOLD_AT_ONCE).await
                }
            };
            if count == 0 {
                return;
            }
            let (notices, waiting) = self.gather(words.drain(..));
            match self.store.tell(self.notices.replica, &notices).await {
                Ok(()) => {
                    for told in waiting {
                        // Whoever no longer waits needs not know.
                        let _waits = told.send(());
                    }
                    for notice in &notices {
                        self.metrics.notice_told(notice.kind());
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "other replicas can't be told; they find out by looking");
                }
            }
        }
    }

    /// Many words in few notices.
    fn gather(&self, words: impl Iterator<Item = Word>) -> (Vec<Notice>, Vec<oneshot::Sender<()>>) {
        let (mut listening, mut due) = (false, false);
        let (mut settled, mut awaited, mut waiting) = (HashSet::new(), HashSet::new(), Vec::new());
        let mut notices = Vec::new();
        for word in words {
            match word {
                Word::Listening => listening = true,
                Word::Due => due = true,
                Word::Settled(booking) => drop(settled.insert(booking)),
                Word::Paused(scope, until) => notices.push(Notice::Paused { scope, until }),
                Word::Awaited(booking, told) => {
                    awaited.insert(booking);
                    waiting.push(told);
                }
            }
        }
        notices.extend(listening.then_some(Notice::Listening));
        notices.extend(due.then_some(Notice::Due));
        if !settled.is_empty() {
            notices.push(Notice::Settled(settled.into_iter().collect()));
        }
        if !awaited.is_empty() {
            // It is told again with each look.
            let lasting = 2 * self.poll + AWAITED_GRACE;
            notices.push(Notice::Awaited { bookings: awaited.into_iter().collect(), lasting });
        }
        (notices, waiting)
    }

    pub(super) fn elsewhere<T>(&self, look: impl FnOnce(&mut Elsewhere) -> T) -> T {
        look(&mut self.notices.elsewhere.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
