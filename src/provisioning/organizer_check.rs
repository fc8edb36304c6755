//! What is known of an organizer, without trying a booking.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::ask::{class, explanation};
use super::{Provisioning, ProvisioningError};
use crate::audit::Origin;
use crate::booking::{Organizer, SourceSystem, UserId};
use crate::meeting::{Call, CallKind, OrganizerFacts, RecentAttempts, Reply, TokenFault};
use crate::msgraph::{Passage, Performed};
use crate::shares::on_behalf_of;

/// How far back bookings count as recent.
const RECENT: Duration = Duration::from_hours(7 * 24);
/// Most questions of one replica about organizers that are under way at once: bookings need the calls more.
const AT_ONCE: usize = 2;
/// How long a question waits for its place among them.
const PLACE_WAIT: Duration = Duration::from_secs(5);

/// The places of those questions.
#[derive(Debug)]
pub(crate) struct OrganizerQuestions(Arc<Semaphore>);

impl Default for OrganizerQuestions {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Who asks about an organizer.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// Whose bookings it may see: those of this source system, or of all.
    pub(crate) sees: Option<SourceSystem>,
    /// In whose name Graph is asked.
    pub(crate) source_system: SourceSystem,
    /// Who it is.
    pub(crate) origin: Origin,
}

impl Provisioning {
    /// What Graph tells of an organizer, as far as it may be asked now and the asker may know it, and how the latest bookings
    /// went. Nothing is changed by asking, here or at Graph.
    pub(crate) async fn look_at_organizer(
        self: &Arc<Self>,
        organizer: &Organizer,
        asker: &Asker,
    ) -> Result<(OrganizerFacts, RecentAttempts), ProvisioningError> {
        let (provisioning, of, by) = (Arc::clone(self), organizer.clone(), asker.source_system.clone());
        // A caller that leaves doesn't end it: a call that is given up half-way would count against Graph.
        let checked = self.in_flight.spawn(Box::pin(on_behalf_of(by.clone(), async move {
            let passage = ThroughGate { provisioning: &provisioning, source_system: by };
            provisioning.graph.check_organizer(&of, &passage).await
        })));
        let mut facts =
            checked.await.unwrap_or_else(|ended| self.nothing_known(organizer, &ended.to_string()));
        let request_id = asker.origin.request_id.as_deref();
        tracing::info!(actor = %asker.origin.actor, request_id, user_id = ?facts.user_id.map(UserId::uuid),
            "an organizer was asked about");
        let since = self.clock.now() - RECENT;
        let sees = asker.sees.as_ref();
        let recent = self.store.recent_attempts(organizer, facts.user_id, sees, since).await?;
        if let (Organizer::Upn(_), Some(source_system), Some(id)) = (organizer, sees, facts.user_id)
            && !self.store.has_bookings_of(id, source_system).await?
        {
            facts = facts.without_user_id();
        }
        Ok((facts, recent))
    }

    fn nothing_known(&self, organizer: &Organizer, why: &str) -> OrganizerFacts {
        let message = format!("the check ended early: {why}");
        OrganizerFacts {
            organizer: organizer.clone(),
            user_id: None,
            checked_at: self.clock.now(),
            token: Err(TokenFault { is_refusal: false, message, remedy: "Ask again." }),
            user: None,
            meeting: None,
        }
    }
}

/// Asks Graph through this replica's gate, as every call.
struct ThroughGate<'a> {
    provisioning: &'a Provisioning,
    source_system: SourceSystem,
}

impl Passage for ThroughGate<'_> {
    async fn pass(
        &self,
        kind: CallKind,
        call: &Call,
        question: impl Future<Output = Performed> + Send,
    ) -> Result<Reply, String> {
        let provisioning = self.provisioning;
        let places = Arc::clone(&provisioning.organizer_questions.0);
        let Ok(Ok(_place)) = timeout(PLACE_WAIT, places.acquire_owned()).await else {
            return Err("other questions about organizers are under way; this one waited".to_owned());
        };
        let class = class(call, self.source_system.clone(), false);
        let permit = provisioning.gate.acquire(&class).await.map_err(|rejected| {
            provisioning.metrics.call_postponed(rejected.reason.as_str());
            explanation(rejected)
        })?;
        let began = Instant::now();
        let performed = question.await;
        provisioning.metrics.graph_call(kind.as_str(), performed.reply.outcome.as_str(), began.elapsed());
        provisioning.completed(permit, call, &performed, &class.source_system).await;
        Ok(performed.reply)
    }
}
