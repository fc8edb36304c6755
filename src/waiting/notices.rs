//! What this replica publishes to the others.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::wait::Waiting;
use crate::booking::ExternalId;
use crate::error_chain::chain;
use crate::store::{Notice, ReplicaId};

/// Most notifications that one statement publishes.
const PUBLISHED_AT_ONCE: usize = 4_096;
/// What is added to the time that an `awaited` notice is good for: it has a way to go, and the next one may be late.
const AWAITED_GRACE: Duration = Duration::from_secs(1);

/// What the replica does with notices that are not about waiting.
pub(crate) trait NoticeEffects: Send + Sync {
    /// Something is due that another replica left behind.
    fn work_is_due(&self);
    /// The store may hold a pause more that Graph asked for.
    fn pauses_have_changed(&self);
}

/// What one replica publishes and hears.
#[derive(Debug)]
pub(super) struct Notices {
    pub(super) replica: ReplicaId,
    /// None where notices are neither published nor heard.
    sender: Option<mpsc::UnboundedSender<Notification>>,
    /// Where they arrive, until the publisher takes it over.
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Notification>>>,
    is_delivered: AtomicBool,
}

/// One thing to publish.
#[derive(Debug)]
pub(super) enum Notification {
    /// The listener wants to know when it is published; the sender is dropped when it could not be.
    Listening(oneshot::Sender<()>),
    Due,
    Settled(ExternalId),
    Paused,
    /// So does the waiting request.
    Awaited(ExternalId, oneshot::Sender<()>),
}

/// What one statement publishes.
#[derive(Debug, Default)]
struct Batch {
    notices: Vec<Notice>,
    /// Those that want to know.
    published: Vec<oneshot::Sender<()>>,
}

impl Notices {
    /// Of this replica. Where `listens` is false it neither publishes nor hears anything.
    pub(super) fn of(replica: ReplicaId, listens: bool) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            replica,
            sender: listens.then_some(sender),
            receiver: Mutex::new(listens.then_some(receiver)),
            is_delivered: AtomicBool::new(false),
        }
    }

    pub(super) fn publish(&self, notification: Notification) {
        if let Some(sender) = &self.sender {
            // The publisher is gone once the replica has stopped.
            let _published = sender.send(notification);
        }
    }

    /// Whether what is published reaches this replica: it has heard itself.
    pub(super) fn is_delivered(&self) -> bool {
        self.is_delivered.load(Ordering::Acquire)
    }

    /// Notes whether it does; says whether it did before.
    pub(super) fn set_delivered(&self, is_delivered: bool) -> bool {
        self.is_delivered.swap(is_delivered, Ordering::AcqRel)
    }
}

impl Waiting {
    /// Publishes and hears notices until it is told to stop; what is to be published by then still is.
    pub(crate) async fn exchange_notices(
        self: Arc<Self>,
        effects: Arc<dyn NoticeEffects>,
        stop: CancellationToken,
    ) {
        let receiver = self.notices.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(receiver) = receiver {
            tokio::join!(self.listen(effects.as_ref(), &stop), self.publish_all(receiver, &stop));
        }
    }

    /// Whether what other replicas publish reaches this one.
    pub(crate) fn are_notices_delivered(&self) -> bool {
        self.notices.is_delivered()
    }

    /// Tells the other replicas that a request here waits for this booking. Says whether they are told and this replica
    /// would hear their answer: then nothing that is settled from now on is missed.
    pub(super) async fn publish_awaited(&self, external_id: ExternalId) -> bool {
        if !self.notices.is_delivered() {
            return false;
        }
        let (published, is_published) = oneshot::channel();
        self.notices.publish(Notification::Awaited(external_id, published));
        is_published.await.is_ok() && self.notices.is_delivered()
    }

    /// Tells that a booking stands otherwise than before: the requests that wait for it are woken. Other replicas are told
    /// only where a request waits there, or where this replica can't hear whether one does.
    pub(crate) fn publish_settled(&self, external_id: ExternalId) {
        if self.notices.sender.is_some() {
            let is_awaited = self.remote_waiters().settled(external_id, Instant::now());
            if is_awaited || !self.notices.is_delivered() {
                self.notices.publish(Notification::Settled(external_id));
            }
        }
        self.registry.wake(external_id);
    }

    /// Tells that something is due that another replica may take.
    pub(crate) fn publish_due(&self) {
        self.notices.publish(Notification::Due);
    }

    /// Tells that Graph asked for a pause, which is stored.
    pub(crate) fn publish_pause(&self) {
        self.notices.publish(Notification::Paused);
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
            let batch = self.batch(notifications.drain(..));
            match self.store.publish_notices(self.notices.replica, &batch.notices).await {
                Ok(()) => {
                    for published in batch.published {
                        // The request may have stopped waiting.
                        let _waits = published.send(());
                    }
                    for notice in &batch.notices {
                        self.metrics.notice_told(notice.kind());
                    }
                }
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(
                        error,
                        "other replicas can't be notified; their waiting requests look for themselves"
                    );
                }
            }
        }
    }

    /// Many notifications in few notices.
    fn batch(&self, notifications: impl Iterator<Item = Notification>) -> Batch {
        let (mut listening, mut due, mut paused) = (false, false, false);
        let (mut settled, mut awaited) = (HashSet::new(), HashSet::new());
        let mut batch = Batch::default();
        for notification in notifications {
            match notification {
                Notification::Listening(published) => {
                    listening = true;
                    batch.published.push(published);
                }
                Notification::Due => due = true,
                Notification::Settled(external_id) => drop(settled.insert(external_id)),
                Notification::Paused => paused = true,
                Notification::Awaited(external_id, published) => {
                    awaited.insert(external_id);
                    batch.published.push(published);
                }
            }
        }
        batch.notices.extend(listening.then_some(Notice::Listening));
        batch.notices.extend(due.then_some(Notice::Due));
        batch.notices.extend(paused.then_some(Notice::Paused));
        if !settled.is_empty() {
            batch.notices.push(Notice::Settled(settled.into_iter().collect()));
        }
        if !awaited.is_empty() {
            // It is published again with each look.
            let lasting = 2 * self.poll + AWAITED_GRACE;
            batch.notices.push(Notice::Awaited { external_ids: awaited.into_iter().collect(), lasting });
        }
        batch
    }
}
