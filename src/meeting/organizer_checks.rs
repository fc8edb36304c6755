//! Whether bookings for an organizer would work, judged from what is known without trying.

use time::format_description::well_known::Rfc3339;

use super::organizer_facts::{OrganizerFacts, Probe, ProbeOutcome, RecentAttempts};
use super::outcome::{Evidence, Refusal};
use super::remedy;
use crate::booking::Organizer;
use crate::clock::Timestamp;

/// The application permission without which no meeting is made.
const MEETINGS_ROLE: &str = "OnlineMeetings.ReadWrite.All";
/// The application permission that is asked for where users are looked up.
const USERS_ROLE: &str = "User.Read.All";
/// The others that let users be looked up (Microsoft's reference page "Get user").
const USERS_ROLES_TOO: [&str; 3] = ["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];

/// One thing that bookings need, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: CheckName,
    /// How it stands.
    pub status: CheckStatus,
    /// What was found, as a sentence.
    pub detail: String,
    /// What the operator should do, where that would help.
    pub remedy: Option<String>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckName {
    /// Whether a token can be had.
    Token,
    /// Whether the token holds the application permissions.
    Permissions,
    /// Whether the user exists.
    Organizer,
    /// Whether an application access policy covers the organizer.
    AccessPolicy,
    /// How the latest bookings went.
    RecentAttempts,
}

impl CheckName {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 5] =
        [Self::Token, Self::Permissions, Self::Organizer, Self::AccessPolicy, Self::RecentAttempts];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Permissions => "permissions",
            Self::Organizer => "organizer",
            Self::AccessPolicy => "access-policy",
            Self::RecentAttempts => "recent-attempts",
        }
    }
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckStatus {
    /// As bookings need it, as far as anyone can tell without trying.
    Ok,
    /// Not so that a booking could work.
    Failed,
    /// It could not be found out.
    Unknown,
}

impl CheckStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Failed, Self::Unknown];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// All that bookings need of an organizer, checked. `recent` is left out where there is no history to look at;
/// `client_id` is ours, for the remedies.
#[must_use]
pub fn checks(facts: &OrganizerFacts, recent: Option<&RecentAttempts>, client_id: &str) -> Vec<Check> {
    let mut checks = vec![
        token(facts),
        permissions(facts, client_id),
        organizer(facts, client_id),
        access_policy(facts, recent, client_id),
    ];
    checks.extend(recent.map(recent_attempts));
    checks
}

/// Whether bookings would work; none where that could not be found out.
///
/// What fails decides. Else it is the token and the policy: a policy that lets a read through can only have been asked
/// with the permission, and about a user who exists.
#[must_use]
pub fn is_ready(checks: &[Check]) -> Option<bool> {
    if checks.iter().any(|check| check.status == CheckStatus::Failed) {
        return Some(false);
    }
    let is_ok = |name| checks.iter().any(|check| check.name == name && check.status == CheckStatus::Ok);
    (is_ok(CheckName::Token) && is_ok(CheckName::AccessPolicy)).then_some(true)
}

/// A status, what was found, and what to do.
type Finding = (CheckStatus, String, Option<String>);

fn check(name: CheckName, (status, detail, remedy): Finding) -> Check {
    Check { name, status, detail, remedy }
}

fn ok(detail: &str) -> Finding {
    (CheckStatus::Ok, detail.to_owned(), None)
}

fn failed(detail: impl Into<String>, remedy: impl Into<String>) -> Finding {
    (CheckStatus::Failed, detail.into(), Some(remedy.into()))
}

fn unknown(detail: impl Into<String>) -> Finding {
    (CheckStatus::Unknown, detail.into(), None)
}

fn token(facts: &OrganizerFacts) -> Check {
    let finding = match &facts.token {
        Ok(_) => ok("The token endpoint gives this service a token."),
        Err(fault) if fault.is_refusal => failed(&fault.message, fault.remedy),
        Err(fault) => (CheckStatus::Unknown, fault.message.clone(), Some(fault.remedy.to_owned())),
    };
    check(CheckName::Token, finding)
}

fn permissions(facts: &OrganizerFacts, client_id: &str) -> Check {
    let roles = facts.token.as_ref().map(|token| token.roles.as_deref());
    let finding = match roles {
        Err(_) => unknown("There is no token to look into."),
        Ok(None) => unknown("The token can't be read, which is no fault: it is meant for Graph, not for us."),
        Ok(Some(roles)) => match missing_role(roles, &facts.organizer) {
            None => ok("The token holds the application permissions that bookings for this organizer need."),
            Some(role) => failed(
                format!("The token lacks the application permission {role}."),
                remedy::grant_permission(client_id, role),
            ),
        },
    };
    check(CheckName::Permissions, finding)
}

fn missing_role(roles: &[String], organizer: &Organizer) -> Option<&'static str> {
    let holds = |role: &str| roles.iter().any(|held| held == role);
    let finds_users = holds(USERS_ROLE) || USERS_ROLES_TOO.into_iter().any(holds);
    match organizer {
        _ if !holds(MEETINGS_ROLE) => Some(MEETINGS_ROLE),
        Organizer::Upn(_) if !finds_users => Some(USERS_ROLE),
        Organizer::Upn(_) | Organizer::UserId(_) => None,
    }
}

fn organizer(facts: &OrganizerFacts, client_id: &str) -> Check {
    let Some(Probe { seen, evidence }) = &facts.user else {
        return check(CheckName::Organizer, unknown("Graph was not asked, because there is no token."));
    };
    let by_name = matches!(facts.organizer, Organizer::Upn(_));
    let finding = match seen {
        ProbeOutcome::There => ok("There is such a user."),
        ProbeOutcome::Missing => failed("Graph knows no such user.", remedy::check_organizer()),
        ProbeOutcome::Refused(Refusal::Unauthorized) => unauthorized(evidence),
        ProbeOutcome::Refused(_) if by_name => failed(
            format!("Graph does not let this service look users up by name: {}.", said(evidence)),
            remedy::grant_permission(client_id, USERS_ROLE),
        ),
        ProbeOutcome::Refused(_) => unknown(format!(
            "Graph does not let this service look users up, which bookings by object id don't need: {}.",
            said(evidence)
        )),
        ProbeOutcome::Unanswered => unanswered(evidence),
        ProbeOutcome::NotSent => not_sent(evidence),
    };
    check(CheckName::Organizer, finding)
}

fn access_policy(facts: &OrganizerFacts, recent: Option<&RecentAttempts>, client_id: &str) -> Check {
    let Some(Probe { seen, evidence }) = &facts.meeting else {
        let detail =
            "Graph was not asked, because there is no token or no such user, or the object id is not known.";
        return check(CheckName::AccessPolicy, unknown(detail));
    };
    let user_exists = facts.user.as_ref().is_some_and(|user| user.seen == ProbeOutcome::There);
    let went_well = recent.is_some_and(RecentAttempts::ended_well);
    let finding = match seen {
        ProbeOutcome::There => ok("Graph lets this service read the organizer's meetings."),
        ProbeOutcome::Missing if user_exists => ok(
            "Graph let a read of the organizer's meetings through, so a policy likely covers the organizer. For \
             certain only a booking shows it.",
        ),
        ProbeOutcome::Missing if went_well => {
            ok("Graph let a read of the organizer's meetings through, and the latest booking went well.")
        }
        ProbeOutcome::Missing => unknown(
            "Graph answered a read of the organizer's meetings with 404, as it does where a policy covers the \
             organizer, but also where there is no such user.",
        ),
        ProbeOutcome::Refused(Refusal::OrganizerNotPermitted) => failed(
            format!("No application access policy covers the organizer, or not yet: {}.", said(evidence)),
            remedy::grant_access_policy(client_id, facts.user_id, &facts.organizer),
        ),
        ProbeOutcome::Refused(Refusal::Forbidden) => failed(
            format!("Graph forbids to read the organizer's meetings: {}.", said(evidence)),
            remedy::check_licence_and_consent(client_id),
        ),
        ProbeOutcome::Refused(Refusal::Unauthorized) => unauthorized(evidence),
        ProbeOutcome::Refused(_) => unknown(format!("Graph's answer doesn't tell: {}.", said(evidence))),
        ProbeOutcome::Unanswered => unanswered(evidence),
        ProbeOutcome::NotSent => not_sent(evidence),
    };
    check(CheckName::AccessPolicy, finding)
}

fn recent_attempts(recent: &RecentAttempts) -> Check {
    let finding = match (recent.succeeded_at.filter(|_| recent.ended_well()), recent.refused) {
        (Some(success), _) => ok(&format!("The latest success was at {}.", written(success))),
        // What was granted since then doesn't show in the history, so an old refusal proves nothing.
        (None, Some((refusal, failure))) => unknown(format!(
            "Graph refused the latest booking at {} ({}); what was granted since then doesn't show here.",
            written(refusal),
            failure.code(),
        )),
        (None, None) => unknown(format!("No booking since {} tells anything.", written(recent.since))),
    };
    check(CheckName::RecentAttempts, finding)
}

fn unauthorized(evidence: &Evidence) -> Finding {
    failed(
        format!("Graph does not accept the token: {}.", said(evidence)),
        "The operator of this service runs `meeting-provisioner doctor` and checks tenant, cloud and credential.",
    )
}

fn unanswered(evidence: &Evidence) -> Finding {
    unknown(format!("Graph did not answer to the point: {}.", said(evidence)))
}

fn not_sent(evidence: &Evidence) -> Finding {
    unknown(format!("Graph was not asked, as it may not be now: {}.", said(evidence)))
}

/// What Graph said, in short, for the end of a sentence.
fn said(evidence: &Evidence) -> String {
    let status = evidence.status.map(|status| status.to_string());
    let parts = [status.as_deref(), evidence.code.as_deref(), evidence.message.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().map(|part| part.trim_end_matches('.')).collect();
    if parts.is_empty() { "no more is known".to_owned() } else { parts.join(", ") }
}

fn written(time: Timestamp) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
#[path = "organizer_checks_tests.rs"]
mod tests;
