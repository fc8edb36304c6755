//! Finds out about an organizer by reading alone: nothing is made, changed or removed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moka::future::Cache;

use super::interpret::Asked;
use super::microsoft_graph::MicrosoftGraph;
use super::request::{GraphRequest, Ids, RequestFault};
use super::text::clean;
use super::token_failure::TokenFailure;
use super::token_roles::roles;
use crate::booking::{Organizer, UserId};
use crate::meeting::{
    AttemptId, Call, CallKind, Evidence, MeetingId, OrganizerFacts, Outcome, Probe, ProbeOutcome, Refusal,
    TokenFacts, TokenFault,
};

/// Most organizers whose check is remembered.
const CACHE_ENTRIES_MAX: u64 = 1_000;
/// How long a check is handed to every caller, so that many callers cause one check at Graph.
const CACHE_LIFETIME: Duration = Duration::from_secs(10);

/// The latest checks. A caller that asks for one under way waits for it.
#[derive(Debug)]
pub(super) struct OrganizerChecks(Cache<String, OrganizerFacts>);

impl Default for OrganizerChecks {
    fn default() -> Self {
        Self(Cache::new(CACHE_ENTRIES_MAX))
    }
}

impl MicrosoftGraph {
    /// Asks for a token, for the user, and for a meeting of the user that can't exist; what was found out a moment ago
    /// is not asked again. Never fails: whatever happens is a fact about the organizer.
    pub(crate) async fn check_organizer(&self, organizer: &Organizer) -> OrganizerFacts {
        let now = self.clock.now();
        let entry = self.organizer_checks.0.entry(organizer.as_text().to_lowercase());
        let check = Box::pin(self.find_out(organizer));
        let is_over = |facts: &OrganizerFacts| now - facts.checked_at >= CACHE_LIFETIME;
        entry.or_insert_with_if(check, is_over).await.into_value()
    }

    async fn find_out(&self, organizer: &Organizer) -> OrganizerFacts {
        let user_id = match organizer {
            Organizer::UserId(id) => Some(*id),
            Organizer::Upn(_) => None,
        };
        let mut facts = OrganizerFacts {
            organizer: organizer.clone(),
            user_id,
            checked_at: self.clock.now(),
            token: Ok(TokenFacts::default()),
            user: None,
            meeting: None,
        };
        if let Err(failure) = self.tokens.current().await {
            facts.token = Err(fault(&failure));
            return facts;
        }
        let (user, found) = self.probe(CallKind::FindOrganizer, self.requests.read_user(organizer)).await;
        facts.user_id = found.or(user_id);
        let is_missing = user.seen == ProbeOutcome::Missing;
        facts.user = Some(user);
        if let Some((organizer, meeting)) = facts.user_id.filter(|_| !is_missing).and_then(no_meeting) {
            let look = Call::Look { organizer, meeting, in_channel: false };
            facts.meeting = Some(self.probe(look.kind(), self.requests.write(&look)).await.0);
        }
        // Not before: had Graph refused the token that was there, this is the one that took its place.
        if let Ok(token) = self.tokens.current().await {
            facts.token = Ok(TokenFacts { roles: roles(&token.authorization) });
        }
        facts
    }

    /// Sends a request that changes nothing, and returns its outcome and the object id in the answer.
    async fn probe(
        &self,
        kind: CallKind,
        request: Result<GraphRequest, RequestFault>,
    ) -> (Probe, Option<UserId>) {
        let mut evidence = Evidence::begun(self.clock.now());
        let ids = Ids { attempt: AttemptId::new(self.clock.fresh_id()), traceparent: None };
        let outcome = match request {
            Ok(request) => self.exchange(ids, Asked::plain(kind), &request, &mut evidence).await.outcome,
            Err(fault) => {
                evidence.message = Some(clean(&format!("not sent: {fault}")));
                Outcome::Refused(Refusal::Request)
            }
        };
        let mut found = None;
        let seen = match outcome {
            Outcome::OrganizerFound(id) => {
                found = Some(id);
                ProbeOutcome::There
            }
            Outcome::Created(_) | Outcome::Found(_) | Outcome::Changed(_) | Outcome::Seen(_) => {
                ProbeOutcome::There
            }
            Outcome::Gone | Outcome::Refused(Refusal::OrganizerNotFound | Refusal::MeetingMissing) => {
                ProbeOutcome::Missing
            }
            Outcome::Throttled { .. }
            | Outcome::Unavailable { .. }
            | Outcome::Unknown
            | Outcome::Refused(Refusal::Passing { .. }) => ProbeOutcome::Unanswered,
            Outcome::Refused(refusal) => ProbeOutcome::Refused(refusal),
        };
        (Probe { seen, evidence }, found)
    }
}

fn fault(failure: &TokenFailure) -> TokenFault {
    TokenFault {
        is_refusal: failure.kind.is_refusal(),
        message: clean(&failure.to_string()),
        remedy: failure.kind.remedy(),
    }
}

/// A meeting's id in the form in which Graph has been seen to make them, so that it is not refused for its form, of a
/// meeting whose thread doesn't exist.
fn no_meeting(organizer: UserId) -> Option<(UserId, MeetingId)> {
    let id = STANDARD.encode(format!("1*{organizer}*0**19:meeting_readiness@thread.v2"));
    MeetingId::parse(&id).ok().map(|meeting| (organizer, meeting))
}

#[cfg(test)]
#[path = "check_organizer_tests.rs"]
mod tests;
