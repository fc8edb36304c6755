//! Carries out calls: token, request, answer, outcome.

use std::sync::Arc;
use std::time::Instant;

use super::check_organizer::OrganizerChecks;
use super::connection::{ConnectionFault, GraphConnection};
use super::exchange::HttpClients;
use super::interpret::{Asked, answered, unanswered, without_token};
use super::organizer_ids::OrganizerIds;
use super::request::{GraphRequest, Ids, RequestWriter};
use super::text::clean;
use super::token::TokenCache;
use super::token_request::TokenSource;
use crate::clock::Clock;
use crate::meeting::{AttemptId, Call, CallKind, Evidence, HeardFrom, Outcome, Refusal, Reply};

/// Microsoft Graph, as one application of one tenant sees it. Made once and shared behind an `Arc`.
#[derive(Debug)]
pub struct MicrosoftGraph {
    pub(super) connections: HttpClients,
    pub(super) tokens: TokenCache,
    pub(super) requests: RequestWriter,
    pub(super) organizer_ids: OrganizerIds,
    pub(super) organizer_checks: OrganizerChecks,
    pub(super) clock: Arc<dyn Clock>,
}

/// What came of a call, and who said so.
#[derive(Debug)]
pub struct Performed {
    /// What came of it.
    pub reply: Reply,
    /// Who said so.
    pub heard_from: HeardFrom,
}

/// The same, as an outcome alone.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) outcome: Outcome,
    pub(super) heard_from: HeardFrom,
}

impl MicrosoftGraph {
    /// Prepares everything and sends nothing.
    pub fn new(connection: &GraphConnection, clock: Arc<dyn Clock>) -> Result<Self, ConnectionFault> {
        Ok(Self {
            requests: RequestWriter::of(connection)?,
            connections: HttpClients::to(&connection.root_url, connection.timeouts)?,
            tokens: TokenCache::from(TokenSource::of(connection, Arc::clone(&clock))?, Arc::clone(&clock)),
            organizer_ids: OrganizerIds::none(Arc::clone(&clock)),
            organizer_checks: OrganizerChecks::default(),
            clock,
        })
    }

    /// Answers a call without asking Graph, where it is about a name that was resolved lately.
    pub async fn remembered(&self, call: &Call) -> Option<Reply> {
        let mut evidence = Evidence::begun(self.clock.now());
        let outcome = self.organizer_ids.answer(call, &mut evidence).await?;
        Some(Reply { outcome, evidence })
    }

    /// Carries out one call. Never fails: everything that can happen is an outcome with its evidence.
    ///
    /// `traceparent` is passed on to Graph as it is. Dropped half-way, the call may or may not have been carried out.
    pub async fn perform(&self, attempt: AttemptId, traceparent: Option<&str>, call: &Call) -> Performed {
        let begun = Instant::now();
        let mut evidence = Evidence::begun(self.clock.now());
        let Exchanged { outcome, heard_from } =
            self.ask(Ids { attempt, traceparent }, call, &mut evidence).await;
        self.organizer_ids.note(call, &outcome).await;
        evidence.duration_milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        log(attempt, call.kind(), &outcome, &evidence);
        Performed { reply: Reply { outcome, evidence }, heard_from }
    }

    async fn ask(&self, ids: Ids<'_>, call: &Call, evidence: &mut Evidence) -> Exchanged {
        match self.requests.write(call) {
            Ok(request) => self.exchange(ids, Asked::by(call), &request, evidence).await,
            Err(fault) => {
                evidence.message = Some(clean(&format!("not sent: {fault}")));
                Exchanged { outcome: Outcome::Refused(Refusal::Request), heard_from: HeardFrom::NotAsked }
            }
        }
    }

    /// Sends a request with a good token, and once more if Graph refuses that token. `asked` says how to read the answer.
    pub(super) async fn exchange(
        &self,
        ids: Ids<'_>,
        asked: Asked,
        request: &GraphRequest,
        evidence: &mut Evidence,
    ) -> Exchanged {
        let mut is_repeat = false;
        loop {
            let token = match self.tokens.current().await {
                Ok(token) => token,
                Err(failure) => {
                    let outcome = without_token(failure, evidence);
                    return Exchanged { outcome, heard_from: HeardFrom::TokenEndpoint };
                }
            };
            let heard_from = HeardFrom::Graph { connection: self.connections.number() };
            let outgoing = request.outgoing(&token.authorization, ids);
            let outcome = match self.connections.exchange(outgoing, &*self.clock).await {
                Ok(answer) => answered(asked, answer, evidence, &*self.clock),
                Err(fault) => unanswered(&fault, evidence),
            };
            if outcome != Outcome::Refused(Refusal::Unauthorized) {
                if evidence.status.is_some_and(|status| status != 401) {
                    token.note_accepted();
                }
                return Exchanged { outcome, heard_from };
            }
            let is_replaceable = self.tokens.refuse(&token);
            if is_repeat || !is_replaceable {
                return Exchanged { outcome, heard_from };
            }
            is_repeat = true;
        }
    }
}

fn log(attempt: AttemptId, call: CallKind, outcome: &Outcome, evidence: &Evidence) {
    let (call, outcome) = (call.as_str(), outcome.as_str());
    tracing::debug!(
        attempt = %attempt,
        call,
        outcome,
        status = evidence.status,
        code = evidence.code.as_deref(),
        graph_request_id = evidence.request_id.as_deref(),
        duration_milliseconds = evidence.duration_milliseconds,
        "Graph call {call} of attempt {attempt}: {outcome}"
    );
}

#[cfg(test)]
#[path = "microsoft_graph_tests.rs"]
mod tests;
