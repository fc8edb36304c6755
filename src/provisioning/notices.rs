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
use super::remote_waiters::RemoteWaiters;
use crate::booking::ExternalId;
use crate::clock::Timestamp;
use crate::store::{Notice, ReplicaId};

/// Most words that one statement carries.
const PUBLISHED_AT_ONCE: usize = 4_096;
/// What is added to the time that a word is good for: it has a way to go, and the next one may be late.
const AWAITED_GRACE: Duration = Duration::from_secs(1);

/// What one replica tells and hears.
#[derive(Debug)]
pub(crate) struct Notices {
    pub(super) replica: ReplicaId,
    /// None where notices are neither told nor heard.
    sender: Option<mpsc::UnboundedSender<Notification>>,
    /// What the outbox holds, until the teller takes it over.
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Notification>>>,
    pub(super) hears: AtomicBool,
    remote_waiters: Mutex<RemoteWaiters>,
}

/// One thing to be told.
#[derive(Debug)]
pub(super) enum Notification {
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
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            replica,
            sender: listens.then_some(sender),
            receiver: Mutex::new(listens.then_some(receiver)),
            hears: AtomicBool::new(false),
            remote_waiters: Mutex::default(),
        }
    }

    pub(super) fn publish(&self, notification: Notification) {
        if let Some(sender) = &self.sender {
            // Nobody takes it any more once the replica has stopped.
            let _told = sender.send(notification);
        }
    }

    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Acquire)
    }
}

impl Provisioning {
    /// Tells and hears notices until it is told to stop; what is to be told by then is still told.
    pub(crate) async fn exchange_notices(self: Arc<Self>, stop: CancellationToken) {
        let receiver = self.notices.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(receiver) = receiver {
            tokio::join!(self.listen(&stop), self.publish_all(receiver, &stop));
        }
    }

    /// Tells the other replicas that a request here waits for this booking. Says whether they are told and this replica
    /// would hear their answer: then nothing that is settled from now on is missed.
    pub(super) async fn publish_awaited(&self, external_id: ExternalId) -> bool {
        if !self.notices.hears() {
            return false;
        }
        let (told, is_told) = oneshot::channel();
        self.notices.publish(Notification::Awaited(external_id, told));
        is_told.await.is_ok() && self.notices.hears()
    }

    /// A booking stands otherwise than before: whoever waits for it is woken. Other replicas are told only if one of
    /// them waits, or if this one can't hear whether they do.
    pub(super) fn publish_settled(&self, external_id: ExternalId) {
        if self.notices.sender.is_some() {
            let awaited =
                self.remote_waiters(|remote_waiters| remote_waiters.settled(external_id, Instant::now()));
            if awaited || !self.notices.hears() {
                self.notices.publish(Notification::Settled(external_id));
            }
        }
        self.waiting.wake(external_id);
    }

    /// Something is due that another replica may take.
    pub(super) fn publish_due(&self) {
        self.notices.publish(Notification::Due);
    }

    async fn publish_all(
        &self,
        mut receiver: mpsc::UnboundedReceiver<Notification>,
        stop: &CancellationToken,
    ) {
        let mut notifications = Vec::new();
        loop {
            let count = tokio::select! {
                biased;
                count = receiver.recv_many(&mut notifications, PUBLISHED_AT_ONCE) => count,
                () = stop.cancelled() => {
                    receiver.close();
                    receiver.recv_many(&mut notifications, PUBLISHED_AT_ONCE).await
                }
            };
            if count == 0 {
                return;
            }
            let (notices, waiting) = self.gather(notifications.drain(..));
            match self.store.publish_notices(self.notices.replica, &notices).await {
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
    fn gather(
        &self,
        notifications: impl Iterator<Item = Notification>,
    ) -> (Vec<Notice>, Vec<oneshot::Sender<()>>) {
        let (mut listening, mut due) = (false, false);
        let (mut settled, mut awaited, mut waiting) = (HashSet::new(), HashSet::new(), Vec::new());
        let mut notices = Vec::new();
        for notification in notifications {
            match notification {
                Notification::Listening => listening = true,
                Notification::Due => due = true,
                Notification::Settled(external_id) => drop(settled.insert(external_id)),
                Notification::Paused(scope, until) => notices.push(Notice::Paused { scope, until }),
                Notification::Awaited(external_id, told) => {
                    awaited.insert(external_id);
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
            notices.push(Notice::Awaited { external_ids: awaited.into_iter().collect(), lasting });
        }
        (notices, waiting)
    }

    pub(super) fn remote_waiters<T>(&self, look: impl FnOnce(&mut RemoteWaiters) -> T) -> T {
        look(&mut self.notices.remote_waiters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
