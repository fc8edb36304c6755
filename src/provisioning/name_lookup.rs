//! Looks up whose a name is, where whether a caller means a booking's organizer depends on that.

use std::sync::Arc;
use std::time::Duration;

use super::Provisioning;
use super::ask::{class, not_sent};
use crate::audit::Origin;
use crate::booking::{BookingKey, Upn};
use crate::meeting::{Attempt, Call, Evidence, Failure, LastError, NameLookup, Outcome, Refusal, Reply};
use crate::shares::on_behalf_of;

/// The lease of a look-up; four fifths of it, 10 s, may pass until its answer. A caller waits for it whatever its patience,
/// for nothing is decided before.
const LOOKUP_LEASE: Duration = Duration::from_millis(12_500);

/// A name that is no user's, or could not be looked up. Nothing is changed.
#[derive(Debug)]
pub(crate) struct LookupFailure {
    /// The name.
    pub(crate) name: Upn,
    /// What came of it.
    pub(crate) because: LastError,
    /// After how long Graph may be asked again, where that is known.
    pub(crate) retry_after: Option<Duration>,
}

impl LookupFailure {
    /// Graph said that no user has this name.
    pub(super) fn no_such_user(lookup: NameLookup) -> Self {
        let NameLookup { name, evidence, .. } = lookup;
        let (code, at) = (Failure::OrganizerNotFound, evidence.started_at);
        Self { name, because: LastError { code, at, graph: evidence }, retry_after: None }
    }
}

impl Provisioning {
    /// Whose a name is, by what is remembered of Graph's answers or by asking Graph. It is no attempt of the booking and
    /// changes no row, so the log tells of it, and the history where the booking is changed because of it. It takes a permit
    /// like other calls. A caller that leaves doesn't end it: what it finds is remembered.
    pub(super) async fn look_up(
        self: &Arc<Self>,
        name: Upn,
        key: &BookingKey,
        origin: &Origin,
    ) -> Result<NameLookup, Box<LookupFailure>> {
        let (provisioning, key, origin) = (Arc::clone(self), key.clone(), origin.clone());
        let call = Call::FindOrganizer(name.clone());
        let source_system = key.source_system.clone();
        let work = async move { provisioning.ask_for_user(&call, &key, &origin).await };
        let work = on_behalf_of(source_system, work);
        match self.in_flight.spawn(Box::pin(work)).await {
            Ok(Ok(reply)) => read(name, reply),
            Ok(Err((because, retry_after))) => Err(Box::new(LookupFailure { name, because, retry_after })),
            Err(ended) => {
                let evidence = Evidence::begun(self.clock.now());
                let message = Some(format!("the look-up ended early: {ended}"));
                read(name, Reply { outcome: Outcome::Unknown, evidence: Evidence { message, ..evidence } })
            }
        }
    }

    /// The reply; or why nothing was sent, and for how long nothing may be.
    async fn ask_for_user(
        &self,
        call: &Call,
        key: &BookingKey,
        origin: &Origin,
    ) -> Result<Reply, (LastError, Option<Duration>)> {
        let class = class(call, key.source_system.clone(), false);
        let now = self.clock.now();
        let attempt = Attempt { leased_until: now + LOOKUP_LEASE, ..self.fresh_attempt(now) };
        let request_id = origin.request_id.as_deref();
        let performed = self.perform(call, &class, attempt, origin).await;
        match &performed {
            Ok(Reply { outcome, evidence }) => tracing::info!(
                booking = %key, actor = %origin.actor, request_id, attempt = %attempt.id, outcome = outcome.as_str(),
                status = evidence.status, graph_request_id = evidence.request_id.as_deref(),
                "an organizer's name was looked up"
            ),
            Err(rejected) => tracing::info!(
                booking = %key, actor = %origin.actor, request_id, obstacle = rejected.reason.as_str(),
                "an organizer's name was not looked up"
            ),
        }
        performed.map_err(|rejected| {
            let now = self.clock.now();
            (not_sent(rejected, now), Duration::try_from(rejected.retry_at - now).ok())
        })
    }
}

/// What a reply says of a name.
fn read(name: Upn, reply: Reply) -> Result<NameLookup, Box<LookupFailure>> {
    let Reply { outcome, evidence } = reply;
    let retry_after = match &outcome {
        Outcome::OrganizerFound(id) => return Ok(NameLookup { name, user: Some(*id), evidence }),
        Outcome::Refused(Refusal::OrganizerNotFound) => return Ok(NameLookup { name, user: None, evidence }),
        Outcome::Throttled { retry_after }
        | Outcome::Unavailable { retry_after }
        | Outcome::Refused(Refusal::Passing { retry_after }) => *retry_after,
        _ => None,
    };
    let code = Failure::of(&outcome).unwrap_or(Failure::GraphOutcomeUnknown);
    let because = LastError { code, at: evidence.started_at, graph: evidence };
    Err(Box::new(LookupFailure { name, because, retry_after }))
}
