//! Finds out about an organizer by reading alone: nothing is made, changed or removed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moka::future::Cache;

use super::interpret::Asked;
use super::microsoft_graph::{Exchanged, MicrosoftGraph, Performed};
use super::request::{GraphRequest, Ids, RequestFault};
use super::text::clean;
use super::token_failure::TokenFailure;
use super::token_roles::roles;
use crate::booking::{Organizer, UserId};
use crate::clock::Timestamp;
use crate::meeting::{
    AttemptId, Call, CallKind, Evidence, HeardFrom, MeetingId, OrganizerFacts, Outcome, Probe, ProbeOutcome,
    Refusal, Reply, TokenFacts, TokenFault,
};

/// Most organizers whose check is remembered.
const CACHE_ENTRIES_MAX: u64 = 1_000;
/// How long a check is handed to every caller, so that many callers cause one check at Graph.
const CACHE_LIFETIME: Duration = Duration::from_secs(10);

/// What stands between a harmless question and Graph.
pub(crate) trait Passage: Sync {
    /// Sends a question if it may be sent now, and says what came of it; else says why not. It is of this kind, and about the
    /// same as `call`.
    fn pass(
        &self,
        kind: CallKind,
        call: &Call,
        question: impl Future<Output = Performed> + Send,
    ) -> impl Future<Output = Result<Reply, String>> + Send;
}

/// Lets every question through: for a command that asks for one organizer.
#[derive(Debug)]
pub(crate) struct Unguarded;

impl Passage for Unguarded {
    async fn pass(
        &self,
        _: CallKind,
        _: &Call,
        question: impl Future<Output = Performed> + Send,
    ) -> Result<Reply, String> {
        Ok(question.await.reply)
    }
}

/// The latest checks. A caller that asks for one under way waits for it.
#[derive(Debug)]
pub(super) struct OrganizerChecks(Cache<String, OrganizerFacts>);

impl Default for OrganizerChecks {
    fn default() -> Self {
        Self(Cache::new(CACHE_ENTRIES_MAX))
    }
}

impl MicrosoftGraph {
    /// Asks for a token, for the user, and for a meeting of the user that can't exist, each as `passage` allows; what was
    /// found out a moment ago is not asked again. Never fails: whatever happens is a fact about the organizer.
    pub(crate) async fn check_organizer(
        &self,
        organizer: &Organizer,
        passage: &impl Passage,
    ) -> OrganizerFacts {
        let now = self.clock.now();
        let entry = self.organizer_checks.0.entry(organizer.as_text().to_lowercase());
        let check = Box::pin(self.find_out(organizer, passage));
        let is_over =
            |facts: &OrganizerFacts| now - facts.checked_at >= CACHE_LIFETIME || was_held_back(facts);
        entry.or_insert_with_if(check, is_over).await.into_value()
    }

    async fn find_out(&self, organizer: &Organizer, passage: &impl Passage) -> OrganizerFacts {
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
        let about = match organizer {
            Organizer::UserId(id) => look_at_nothing(*id),
            Organizer::Upn(upn) => Some(Call::FindOrganizer(upn.clone())),
        };
        let Some(about) = about else { return facts };
        let asked = self.probe(CallKind::FindOrganizer, self.requests.read_user(organizer));
        let passed = passage.pass(CallKind::FindOrganizer, &about, asked).await;
        let (user, found) = read(passed, facts.checked_at);
        facts.user_id = found.or(user_id);
        let is_useful = !matches!(user.seen, ProbeOutcome::Missing | ProbeOutcome::NotSent);
        facts.user = Some(user);
        if let Some(look) = facts.user_id.filter(|_| is_useful).and_then(look_at_nothing) {
            let asked = self.probe(look.kind(), self.requests.write(&look));
            let passed = passage.pass(look.kind(), &look, asked).await;
            facts.meeting = Some(read(passed, facts.checked_at).0);
        }
        // Not before: had Graph refused the token that was there, this is the one that took its place.
        if let Ok(token) = self.tokens.current().await {
            facts.token = Ok(TokenFacts { roles: roles(&token.authorization) });
        }
        facts
    }

    /// Sends a request that changes nothing.
    async fn probe(&self, kind: CallKind, request: Result<GraphRequest, RequestFault>) -> Performed {
        let mut evidence = Evidence::begun(self.clock.now());
        let ids = Ids { attempt: AttemptId::new(self.clock.fresh_id()), traceparent: None };
        let Exchanged { outcome, heard_from } = match request {
            Ok(request) => self.exchange(ids, Asked::plain(kind), &request, &mut evidence).await,
            Err(fault) => {
                evidence.message = Some(clean(&format!("not sent: {fault}")));
                let outcome = Outcome::Refused(Refusal::Request);
                Exchanged { outcome, heard_from: HeardFrom::NotAsked }
            }
        };
        Performed { reply: Reply { outcome, evidence }, heard_from }
    }
}

/// What a question came to, and the object id in the answer.
fn read(passed: Result<Reply, String>, now: Timestamp) -> (Probe, Option<UserId>) {
    let Reply { outcome, evidence } = match passed {
        Ok(reply) => reply,
        Err(why) => {
            let evidence = Evidence { message: Some(why), ..Evidence::begun(now) };
            return (Probe { seen: ProbeOutcome::NotSent, evidence }, None);
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

/// Whether a question was not sent, so that nothing is known that could be shared.
fn was_held_back(facts: &OrganizerFacts) -> bool {
    let probes = [&facts.user, &facts.meeting];
    probes.into_iter().flatten().any(|probe| probe.seen == ProbeOutcome::NotSent)
}

fn fault(failure: &TokenFailure) -> TokenFault {
    TokenFault {
        is_refusal: failure.kind.is_refusal(),
        message: clean(&failure.to_string()),
        remedy: failure.kind.remedy(),
    }
}

/// A look at a meeting that doesn't exist. Its id has the form in which Graph has been seen to make them, so that it is not
/// refused for its form; there is no such thread.
fn look_at_nothing(organizer: UserId) -> Option<Call> {
    let id = STANDARD.encode(format!("1*{organizer}*0**19:meeting_readiness@thread.v2"));
    let meeting = MeetingId::parse(&id).ok()?;
    Some(Call::Look { organizer, meeting, in_channel: false })
}

#[cfg(test)]
#[path = "check_organizer_tests.rs"]
mod tests;
