//! Reads meetings at Graph, one after another and not too fast.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::report::Report;
use crate::audit::{AtGraph, at_graph, is_worth_asking};
use crate::clock::{Clock as _, SystemClock};
use crate::command::graph_connection;
use crate::config::GraphSettings;
use crate::meeting::{AttemptId, Booking, Call, Outcome, Reply};
use crate::msgraph::MicrosoftGraph;

/// Most calls to Graph for one meeting.
const ATTEMPTS_MAX: u32 = 5;
/// Longest wait that Graph may ask for before one meeting is tried again; a service has time, a person hasn't.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// Reads meetings at Graph and compares them with their bookings.
#[derive(Debug)]
pub(super) struct GraphChecker {
    graph: MicrosoftGraph,
    pace: Interval,
}

impl GraphChecker {
    /// A checker that makes at most so many calls a second. Fails where no token is issued.
    pub(super) async fn at(settings: &GraphSettings, rate_per_second: u32) -> anyhow::Result<Self> {
        let graph = MicrosoftGraph::new(&graph_connection::of(settings), Arc::new(SystemClock))?;
        graph.check_token().await?;
        let mut pace = tokio::time::interval(Duration::from_secs(1) / rate_per_second.max(1));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { graph, pace })
    }

    /// Checks the meeting of a booking that is settled and has one.
    pub(super) async fn check(&mut self, name: &str, booking: &Booking, report: &mut Report) {
        if !is_worth_asking(booking) {
            return;
        }
        let Some(reply) = self.ask(booking).await else { return };
        report.asked();
        match at_graph(name, booking, &reply.outcome) {
            AtGraph::Agrees => {}
            AtGraph::Disagrees(exception) => report.exception(&exception),
            AtGraph::Unanswered => {
                let why = reply.evidence.message.as_deref().unwrap_or(reply.outcome.as_str());
                report.unanswered(name, why);
            }
        }
    }

    async fn ask(&mut self, booking: &Booking) -> Option<Reply> {
        let meeting = booking.observed.meeting.as_ref()?;
        let organizer = booking.observed.organizer?;
        let in_channel = booking.wanted.spec.chat_thread_id.is_some();
        let look = Call::Look { organizer, meeting: meeting.id.clone(), in_channel };
        let mut attempts = 0;
        loop {
            self.pace.tick().await;
            let reply = self.graph.perform(AttemptId::new(SystemClock.fresh_id()), None, &look).await.reply;
            attempts += 1;
            let wait = match &reply.outcome {
                Outcome::Throttled { retry_after } | Outcome::Unavailable { retry_after } => {
                    retry_after.unwrap_or(Duration::from_secs(1))
                }
                Outcome::Unknown => Duration::ZERO,
                _ => return Some(reply),
            };
            if attempts >= ATTEMPTS_MAX || wait > WAIT_MAX {
                return Some(reply);
            }
            tokio::time::sleep(wait).await;
        }
    }
}
