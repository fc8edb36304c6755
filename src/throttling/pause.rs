//! What Graph asked to be left alone with, and until when.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::booking::UserId;
use crate::clock::Timestamp;
use crate::meeting::{Call, Outcome, Reply};

/// How long an organizer is left alone after a throttling that named no time.
const UNNAMED: Duration = Duration::from_secs(2);

/// Whose calls are to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PauseScope {
    /// All of our application's.
    Application,
    /// Those for one organizer.
    Organizer(UserId),
}

/// Calls of a scope are to wait until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Whose.
    pub(crate) scope: PauseScope,
    /// Until when.
    pub(crate) until: Timestamp,
}

impl PauseScope {
    /// Reads its name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => (text == "application").then_some(Self::Application),
            Some(("organizer", id)) => Uuid::parse_str(id).ok().map(UserId::new).map(Self::Organizer),
            Some(_) => None,
        }
    }
}

impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application => f.write_str("application"),
            Self::Organizer(id) => write!(f, "organizer:{id}"),
        }
    }
}

/// The pause that an answer asks for, at most `longest`.
///
/// A 503 is about the service, hence about all our calls. A 429 is about the organizer whose meetings were asked for,
/// unless Graph's header `x-ms-throttle-scope` (`<scope>/<limit>/<application>/<tenant or user>`) names a wider scope:
/// the one limit that is published for meetings counts by user.
pub(crate) fn pause_asked(call: &Call, reply: &Reply, now: Timestamp, longest: Duration) -> Option<Pause> {
    let named = reply.evidence.throttle_scope.as_deref().and_then(|scope| scope.split('/').next());
    let is_wider = named.is_some_and(|scope| !scope.to_ascii_lowercase().contains("user"));
    let (scope, wait) = match &reply.outcome {
        Outcome::Unavailable { retry_after } => (PauseScope::Application, (*retry_after)?),
        Outcome::Throttled { retry_after } => match call.organizer().filter(|_| !is_wider) {
            Some(organizer) => (PauseScope::Organizer(organizer), retry_after.unwrap_or(UNNAMED)),
            None => (PauseScope::Application, retry_after.unwrap_or(UNNAMED)),
        },
        _ => return None,
    };
    Some(Pause { scope, until: now + wait.min(longest) })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::booking::Upn;
    use crate::meeting::{Evidence, MeetingId};

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    /// Each kind of answer, with whom it makes wait and how long.
    #[test]
    fn each_answer_makes_those_wait_whom_it_is_about() {
        let organizer = UserId::new(Uuid::from_u128(7));
        let look = Call::Look { organizer, meeting: MeetingId::parse("m").unwrap(), in_channel: false };
        let find = Call::FindOrganizer(Upn::parse("a@contoso.com").unwrap());
        let (all, one) = (PauseScope::Application, PauseScope::Organizer(organizer));
        let second = Duration::from_secs(1);
        let throttled = |wait| Outcome::Throttled { retry_after: wait };
        let unavailable = |wait| Outcome::Unavailable { retry_after: wait };
        for (call, outcome, header, expected) in [
            (&look, throttled(Some(second * 3)), None, Some((one, second * 3))),
            (
                &look,
                throttled(Some(Duration::from_millis(2_128))),
                None,
                Some((one, Duration::from_millis(2_128))),
            ),
            (&look, throttled(None), None, Some((one, UNNAMED))),
            (&look, throttled(Some(second)), Some("Tenant_Application/ReadWrite/a/t"), Some((all, second))),
            (&look, throttled(Some(second)), Some("User_Application/ReadWrite/a/u"), Some((one, second))),
            (&find, throttled(Some(second)), None, Some((all, second))),
            (&look, throttled(Some(second * 9_000)), None, Some((one, second * 3_600))),
            (&look, unavailable(Some(second)), None, Some((all, second))),
            (&look, unavailable(None), None, None),
            (&look, Outcome::Unknown, None, None),
            (&look, Outcome::Gone, None, None),
        ] {
            let throttle_scope = header.map(str::to_owned);
            let reply = Reply { outcome, evidence: Evidence { throttle_scope, ..Evidence::begun(NOW) } };
            let asked = pause_asked(call, &reply, NOW, Duration::from_hours(1));
            let expected = expected.map(|(scope, wait)| Pause { scope, until: NOW + wait });
            assert_eq!(asked, expected, "{reply:?}");
        }
    }

    #[test]
    fn a_scope_reads_as_it_is_written() {
        for scope in [PauseScope::Application, PauseScope::Organizer(UserId::new(Uuid::from_u128(7)))] {
            assert_eq!(PauseScope::parse(&scope.to_string()), Some(scope));
        }
        for text in ["", "organizer", "organizer:x", "tenant:00000000-0000-0000-0000-000000000007"] {
            assert_eq!(PauseScope::parse(text), None, "{text}");
        }
    }
}
