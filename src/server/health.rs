//! Health: what the probes answer.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::shares::Places;
use crate::store::Store;
use crate::under_way::UnderWay;

/// A replica whose worker could claim nothing for so long says so.
const CLAIMS_FAIL_AFTER: Duration = Duration::from_mins(1);
/// Longest that a probe waits for Postgres.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether this replica is started, and whether it is ready.
#[derive(Debug)]
pub(crate) struct Health {
    store: Store,
    started: AtomicBool,
    stopping: AtomicBool,
    requests: UnderWay,
    answering: Places,
    waiting: Places,
}

/// What is known of the credential toward Graph.
pub(crate) trait CredentialWatch: Debug + Send + Sync + 'static {
    /// How it is now.
    fn look(&self, now: Timestamp) -> CredentialCondition;
}

/// How the credential toward Graph is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CredentialCondition {
    /// Everything that is wrong with it, for the operator.
    pub(crate) trouble: Option<String>,
    /// Days until it has to be replaced, negative when that is past; none where that is not known, or it renews itself.
    pub(crate) remaining_days: Option<f64>,
    /// Whether it was refused when a token was asked for last.
    pub(crate) is_refused: bool,
    /// Whether its file can't be used, so that the one that was read before is.
    pub(crate) is_file_faulty: bool,
}

/// Why a replica is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotReady {
    Starting,
    Stopping,
    StoreUnavailable,
    NoSchema,
    WritesFail,
}

/// What a replica that takes requests says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ready {
    Ready,
    /// Its worker can't claim what is due: so long, and why.
    Degraded(Duration, String),
}

impl NotReady {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting: the schema is not ready yet",
            Self::Stopping => "stopping",
            Self::StoreUnavailable => "Postgres can't be reached, or takes no writes",
            Self::NoSchema => "the database lacks the schema of this program: run meeting-provisioner doctor",
            Self::WritesFail => "Postgres can be reached, but the latest writes failed",
        }
    }
}

impl Health {
    /// A replica that is starting. Each request that it answers takes a place in `answering`, or in `waiting` while it only
    /// waits.
    pub(crate) fn starting(store: Store, answering: Places, waiting: Places) -> Self {
        Self {
            store,
            started: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            requests: UnderWay::default(),
            answering,
            waiting,
        }
    }

    /// The schema is ready and the public port is open.
    pub(crate) fn started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// The replica is stopping: no more work is to be sent to it.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// The requests that are being answered at the public port.
    pub(crate) fn requests(&self) -> &UnderWay {
        &self.requests
    }

    /// How many of them only wait for their meeting.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.taken()
    }

    /// The places of the requests that may be answered at once.
    pub(super) fn answering(&self) -> &Places {
        &self.answering
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Whether it takes requests. One whose worker can't work still does: what keeps a worker from its claims (a privilege, a
    /// table) is mostly the same for all replicas, and were none of them ready, no booking could be accepted either.
    pub(super) async fn readiness(&self, now: Timestamp) -> Result<Ready, NotReady> {
        if self.is_stopping() {
            return Err(NotReady::Stopping);
        }
        if !self.is_started() {
            return Err(NotReady::Starting);
        }
        match tokio::time::timeout(PING_TIMEOUT, self.store.ping()).await {
            Ok(Ok(())) if self.store.writes_fail() => Err(NotReady::WritesFail),
            Ok(Ok(())) => Ok(self.degradation(now).unwrap_or(Ready::Ready)),
            Ok(Err(error)) if error.is_without_schema() => Err(NotReady::NoSchema),
            Ok(Err(_)) | Err(_) => Err(NotReady::StoreUnavailable),
        }
    }

    fn degradation(&self, now: Timestamp) -> Option<Ready> {
        let failing = self.store.failing_claims()?;
        let lasting = failing.lasting(now);
        (lasting >= CLAIMS_FAIL_AFTER).then_some(Ready::Degraded(lasting, failing.cause))
    }
}
