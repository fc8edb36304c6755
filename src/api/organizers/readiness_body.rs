//! Whether bookings for an organizer would work, as answers show it.

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::api::bookings::OrganizerBody;
use crate::api::openapi::words;
use crate::api::state::Remedies;
use crate::meeting::{Check, OrganizerFacts, RecentAttempts, checks, is_ready};

/// Whether bookings for an organizer would work, as far as can be known without making one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Readiness)]
pub(crate) struct ReadinessBody<'a> {
    /// The organizer.
    organizer: OrganizerBody<'a>,
    /// Whether bookings would work; null if that is unknown.
    #[schema(required)]
    ready: Option<bool>,
    /// When Entra and Graph were asked: up to ten seconds ago, if another request asked just before.
    #[serde(with = "time::serde::rfc3339")]
    checked_at: OffsetDateTime,
    /// Everything that was checked.
    checks: Vec<CheckBody>,
    /// How the latest bookings went, of those that you may see.
    recent_attempts: RecentAttemptsBody,
}

/// One thing that bookings need.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Check)]
struct CheckBody {
    /// What was checked.
    #[schema(value_type = words::CheckNameWord)]
    name: &'static str,
    /// The result.
    #[schema(value_type = words::CheckStatusWord)]
    status: &'static str,
    /// What was found, as a sentence.
    detail: String,
    /// What an administrator should run, grant or check, where there is something to do.
    #[schema(required)]
    remedy: Option<String>,
}

/// How the latest bookings for an organizer went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecentAttempts)]
struct RecentAttemptsBody {
    /// Bookings accepted before this time are not counted.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    /// When a meeting last became what its booking wants.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    succeeded_at: Option<OffsetDateTime>,
    /// When Graph last refused because of the organizer, among the bookings that have had no success since.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    refused_at: Option<OffsetDateTime>,
    /// Why it refused: a problem's code.
    #[schema(required, value_type = Option<words::FailureWord>)]
    refusal: Option<&'static str>,
}

impl<'a> ReadinessBody<'a> {
    /// The checks of what is known.
    pub(crate) fn of(facts: &'a OrganizerFacts, recent: &RecentAttempts, remedies: &Remedies) -> Self {
        let checks = checks(facts, Some(recent), &remedies.client_id);
        Self {
            organizer: OrganizerBody::of(&facts.organizer, facts.user_id),
            ready: is_ready(&checks),
            checked_at: facts.checked_at,
            checks: checks.into_iter().map(CheckBody::from).collect(),
            recent_attempts: RecentAttemptsBody {
                since: recent.since,
                succeeded_at: recent.succeeded_at,
                refused_at: recent.refused.map(|(at, _)| at),
                refusal: recent.refused.map(|(_, failure)| failure.code()),
            },
        }
    }
}

impl From<Check> for CheckBody {
    fn from(check: Check) -> Self {
        Self {
            name: check.name.as_str(),
            status: check.status.as_str(),
            detail: check.detail,
            remedy: check.remedy,
        }
    }
}
