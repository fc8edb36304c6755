//! What is done about a meeting that has moved away from its booking since they agreed.

use std::time::Duration;

use super::booking::{Booking, DesiredState, Progress};
use super::call::Call;
use super::meeting_difference::MeetingDifference;
use super::observed::{Agreement, Seen, SeenAttendee};
use crate::booking::{Attendee, AttendeeRole, BookingSpec, Subject, Upn, UserId};
use crate::clock::Timestamp;

/// What is done about a meeting that was changed at Microsoft's side. What a caller newly wants is brought about
/// whatever this says: it is about meetings that agreed with their bookings once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DriftPolicy {
    /// The meeting is changed back.
    #[default]
    Mend,
    /// The meeting is left as it is, and the difference is shown.
    Report,
    /// The booking follows the meeting.
    Adopt,
}

impl DriftPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Mend, Self::Report, Self::Adopt];

    /// Its name in the settings, the history and the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mend => "mend",
            Self::Report => "report",
            Self::Adopt => "adopt",
        }
    }
}

/// A meeting that has moved away from its booking since they agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// In what.
    pub differences: Vec<MeetingDifference>,
    /// What was done about it.
    pub policy: DriftPolicy,
}

/// Of the differences that an answer to `call` tells of, those by which the meeting has moved away from its booking: not
/// what the call asked for, and not what was `known` to differ before, which was settled then.
#[must_use]
pub(super) fn drift(
    known: &[MeetingDifference],
    told: &[MeetingDifference],
    call: &Call,
) -> Vec<MeetingDifference> {
    let asked = match call {
        Call::Change { change, .. } => change.members(),
        _ => Vec::new(),
    };
    let is_drift = |one: &&MeetingDifference| !asked.contains(&one.field.as_str()) && !known.contains(one);
    told.iter().filter(is_drift).cloned().collect()
}

impl Booking {
    /// Does what the policy makes of a drift. Mending is what happens anyway: wanted and observed don't agree.
    pub(super) fn follow_drift(&mut self, drift: &[MeetingDifference], policy: DriftPolicy) {
        let Some(meeting) = self.observed.meeting.as_mut().filter(|_| !drift.is_empty()) else { return };
        if self.wanted.desired_state == DesiredState::Cancelled || policy == DriftPolicy::Mend {
            return;
        }
        if policy == DriftPolicy::Adopt {
            let adopted = adopted(&self.wanted.spec, &meeting.seen, drift);
            if adopted != self.wanted.spec {
                self.wanted.spec = adopted;
                self.wanted.revision = self.wanted.revision.saturating_add(1);
            }
        }
        meeting.agreement = Agreement::At(self.wanted.revision);
    }

    /// Whether there is a meeting that agreed with the booking, or that Graph would not change while it was under way, so that
    /// Graph can be asked how it is.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        let Some(meeting) = &self.observed.meeting else { return false };
        let is_at_rest = match self.progress {
            Progress::Settled => true,
            Progress::Due(_) => meeting.agreement == Agreement::UnderWay(self.wanted.revision),
            Progress::Parked => false,
        };
        is_at_rest && self.wanted.desired_state == DesiredState::Present
    }

    /// Whether Graph was asked about the meeting less than this long ago, whatever it said. What a wrong clock put into the
    /// future doesn't count.
    #[must_use]
    pub fn was_asked_about(&self, now: Timestamp, lately: Duration) -> bool {
        let seen_at = self.observed.meeting.as_ref().map(|meeting| meeting.seen_at);
        let failed_at = self.last_error.as_ref().map(|error| error.at);
        let is_lately = |at: Timestamp| (now - at).unsigned_abs() < lately;
        [seen_at, failed_at].into_iter().flatten().any(is_lately)
    }
}

/// The booking with what its meeting has otherwise in these members. What a booking can't say, such as an attendee
/// without a name, stays as it was.
fn adopted(spec: &BookingSpec, seen: &Seen, drift: &[MeetingDifference]) -> BookingSpec {
    let mut adopted = spec.clone();
    let has = |field: &str| drift.iter().any(|one| one.field == field);
    if has("subject") {
        let subject = seen.subject.as_deref().filter(|subject| !subject.trim().is_empty());
        match subject.map(Subject::parse) {
            None => adopted.subject = None,
            Some(Ok(subject)) => adopted.subject = Some(subject),
            Some(Err(_)) => {}
        }
    }
    if (has("startDateTime") || has("endDateTime"))
        && let (Some(start), Some(end)) = (seen.start, seen.end)
        && start <= end
    {
        (adopted.start_date_time, adopted.end_date_time) = (start, end);
    }
    if has("participants.attendees") {
        let told = seen.attendees.iter().flatten();
        let attendees: Option<Vec<Attendee>> = told.map(|one| attendee(spec, one)).collect();
        adopted.attendees = attendees.unwrap_or(adopted.attendees);
    }
    for one in drift.iter().filter(|one| one.is_changeable()) {
        let seen = one.seen.as_ref();
        if let Some(settings) = seen.and_then(|seen| adopted.effective_settings.with(&one.field, seen)) {
            adopted.effective_settings = settings;
        }
    }
    adopted
}

fn attendee(spec: &BookingSpec, seen: &SeenAttendee) -> Option<Attendee> {
    let user_id = seen.user_id.as_deref().and_then(|id| UserId::parse(id).ok());
    let upn = seen.upn.as_deref().and_then(|upn| Upn::recorded(upn).ok());
    let is_same = |one: &&Attendee| {
        let same_upn = upn.as_ref().is_some_and(|upn| upn.folded() == one.upn.folded());
        same_upn || (user_id.is_some() && user_id == one.user_id)
    };
    let known = spec.attendees.iter().find(is_same);
    let role = seen
        .role
        .as_deref()
        .map_or(Some(AttendeeRole::Attendee), |role| AttendeeRole::parse(&role.to_lowercase()))?;
    match known {
        Some(known) => Some(Attendee { role, ..known.clone() }),
        None => Some(Attendee { user_id, upn: upn?, role }),
    }
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
