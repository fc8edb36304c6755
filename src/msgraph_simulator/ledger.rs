//! Every call, in the order of arrival, and a way to wait for one.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::ledger_entries::{CallCounts, CallEntry, CallOutcome};
use super::route::Operation;

/// What was waited for did not happen in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was waited for did not happen within {} ms", within.as_millis())]
pub struct NotInTime {
    /// How long was waited.
    pub within: Duration,
}

/// The calls that are kept and the counts of all.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    calls: VecDeque<CallEntry>,
    arrived_total: u64,
    counts: CallCounts,
}

impl CallLog {
    pub(super) fn calls(&self) -> impl DoubleEndedIterator<Item = &CallEntry> + ExactSizeIterator {
        self.calls.iter()
    }

    pub(super) fn counts(&self) -> &CallCounts {
        &self.counts
    }

    fn kept(&mut self, sequence: u64) -> Option<&mut CallEntry> {
        let oldest = self.calls.front()?.sequence;
        self.calls.get_mut(usize::try_from(sequence.checked_sub(oldest)?).ok()?)
    }
}

/// Every call, in the order of arrival.
#[derive(Debug)]
pub(super) struct Ledger {
    log: Mutex<CallLog>,
    changes: watch::Sender<u64>,
    calls_kept_max: usize,
}

impl Ledger {
    pub(super) fn new(calls_kept_max: usize) -> Self {
        Self { log: Mutex::default(), changes: watch::Sender::new(0), calls_kept_max }
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, CallLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Enters a call that has arrived and hands back its sequence number.
    pub(super) fn arrived(&self, mut call: CallEntry) -> u64 {
        let sequence = {
            let mut log = self.locked();
            log.arrived_total += 1;
            call.sequence = log.arrived_total;
            *log.counts.arrived.entry(call.operation).or_default() += 1;
            if log.calls.len() >= self.calls_kept_max {
                log.calls.pop_front();
            }
            if self.calls_kept_max > 0 {
                log.calls.push_back(call);
            }
            log.arrived_total
        };
        self.changed();
        sequence
    }

    /// The work of a call has been done.
    pub(super) fn work_done(&self, sequence: u64, operation: Operation) {
        {
            let mut log = self.locked();
            *log.counts.work_done.entry(operation).or_default() += 1;
            if let Some(call) = log.kept(sequence) {
                call.work_done = true;
            }
        }
        self.changed();
    }

    /// A call is over.
    pub(super) fn ended(&self, sequence: u64, outcome: CallOutcome) {
        {
            let mut log = self.locked();
            match outcome {
                CallOutcome::Answered { status } | CallOutcome::Truncated { status } => {
                    *log.counts.answered.entry(status).or_default() += 1;
                }
                CallOutcome::Cut | CallOutcome::Reset => log.counts.unanswered += 1,
                CallOutcome::UnderWay => {}
            }
            if let Some(call) = log.kept(sequence) {
                call.outcome = outcome;
            }
        }
        self.changed();
    }

    /// Forgets all calls. Sequence numbers go on, so that a call under way can't be mistaken for a later one.
    pub(super) fn clear(&self) {
        {
            let mut log = self.locked();
            log.calls.clear();
            log.counts = CallCounts::default();
        }
        self.changed();
    }

    /// Waits until `found` finds something, looking again at every change.
    pub(super) async fn wait_for<T>(
        &self,
        within: Duration,
        found: impl Fn(&CallLog) -> Option<T>,
    ) -> Result<T, NotInTime> {
        let mut changes = self.changes.subscribe();
        let search = async {
            loop {
                let result = found(&self.locked());
                if let Some(result) = result {
                    return Ok(result);
                }
                if changes.changed().await.is_err() {
                    return Err(NotInTime { within });
                }
            }
        };
        tokio::time::timeout(within, search).await.unwrap_or(Err(NotInTime { within }))
    }
}
