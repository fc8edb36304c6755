//! What Graph asked to be left alone with, and until when.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::booking::{SourceSystem, UserId};
use crate::clock::Timestamp;
use crate::meeting::{Call, HeardFrom, Outcome, Reply};

/// How long an organizer is left alone after a throttling that named no time.
const UNNAMED: Duration = Duration::from_secs(2);
/// How long a replica sends nothing after it got no token and no time was named: as long as a failure to get one is kept.
const NO_TOKEN: Duration = Duration::from_secs(1);

/// Whose calls are to wait.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PauseScope {
    /// All of our application's.
    Application,
    /// Those for one organizer.
    Organizer(UserId),
    /// Those for the bookings of one source system.
    SourceSystem(SourceSystem),
    /// Look-ups of names: the directory has limits of its own.
    LookUps,
    /// All of this replica's: it has no token. It is never shared.
    Replica,
}

/// Calls of a scope are to wait until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Whose.
    pub(crate) scope: PauseScope,
    /// Until when.
    pub(crate) until: Timestamp,
}

impl PauseScope {
    /// Reads the name of one that is shared.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "application" => Some(Self::Application),
            None => (text == "look-ups").then_some(Self::LookUps),
            Some(("organizer", id)) => Uuid::parse_str(id).ok().map(UserId::new).map(Self::Organizer),
            Some(("source-system", name)) => SourceSystem::parse(name).ok().map(Self::SourceSystem),
            Some(_) => None,
        }
    }

    /// Whether other replicas are to keep it, too.
    pub(crate) fn is_shared(&self) -> bool {
        *self != Self::Replica
    }
}

impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application => f.write_str("application"),
            Self::Organizer(id) => write!(f, "organizer:{id}"),
            Self::SourceSystem(name) => write!(f, "source-system:{name}"),
            Self::LookUps => f.write_str("look-ups"),
            Self::Replica => f.write_str("replica"),
        }
    }
}

/// The pause that an answer asks for by itself, at most `longest`. What a 503 is about shows only beside others
/// (`Unavailability`).
///
/// A 429 is about the organizer whose meetings were asked for, unless Graph's header `x-ms-throttle-scope`
/// (`<scope>/<limit>/<application>/<tenant or user>`) names a wider scope: the one limit that is published for meetings
/// counts by user. That of a look-up is about look-ups. Without a token this replica can ask for nothing; another may have one.
pub(crate) fn pause_asked(
    call: &Call,
    reply: &Reply,
    heard_from: HeardFrom,
    now: Timestamp,
    longest: Duration,
) -> Option<Pause> {
    let named = reply.evidence.throttle_scope.as_deref().and_then(|scope| scope.split('/').next());
    let is_wider = named.is_some_and(|scope| !scope.to_ascii_lowercase().contains("user"));
    let (scope, wait) = match &reply.outcome {
        Outcome::Unavailable { retry_after } if heard_from == HeardFrom::TokenEndpoint => {
            (PauseScope::Replica, retry_after.unwrap_or(NO_TOKEN))
        }
        Outcome::Throttled { retry_after } => {
            let scope = match call.organizer() {
                None => PauseScope::LookUps,
                Some(_) if is_wider => PauseScope::Application,
                Some(organizer) => PauseScope::Organizer(organizer),
            };
            (scope, retry_after.unwrap_or(UNNAMED))
        }
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
        let (all, one) = (&PauseScope::Application, &PauseScope::Organizer(organizer));
        let graph = HeardFrom::Graph { connection: 1 };
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
            (&find, throttled(Some(second)), None, Some((&PauseScope::LookUps, second))),
            (&find, throttled(None), Some("Application/x/a/t"), Some((&PauseScope::LookUps, UNNAMED))),
            (&look, throttled(Some(second * 9_000)), None, Some((one, second * 3_600))),
            (&look, unavailable(Some(second)), None, None),
            (&look, unavailable(None), None, None),
            (&look, Outcome::Unknown, None, None),
            (&look, Outcome::Gone, None, None),
        ] {
            let throttle_scope = header.map(str::to_owned);
            let reply = Reply { outcome, evidence: Evidence { throttle_scope, ..Evidence::begun(NOW) } };
            let asked = pause_asked(call, &reply, graph, NOW, Duration::from_hours(1));
            let expected = expected.map(|(scope, wait)| Pause { scope: scope.clone(), until: NOW + wait });
            assert_eq!(asked, expected, "{reply:?}");
        }
        for (retry_after, wait) in [(Some(second * 600), second * 600), (None, NO_TOKEN)] {
            let reply = Reply { outcome: unavailable(retry_after), evidence: Evidence::begun(NOW) };
            let asked = pause_asked(&look, &reply, HeardFrom::TokenEndpoint, NOW, Duration::from_hours(1));
            assert_eq!(asked, Some(Pause { scope: PauseScope::Replica, until: NOW + wait }));
        }
    }

    #[test]
    fn a_scope_reads_as_it_is_written() {
        for scope in [
            PauseScope::Application,
            PauseScope::Organizer(UserId::new(Uuid::from_u128(7))),
            PauseScope::SourceSystem(SourceSystem::parse("crm").unwrap()),
            PauseScope::LookUps,
        ] {
            assert_eq!(PauseScope::parse(&scope.to_string()), Some(scope));
        }
        for text in [
            "",
            "replica",
            "source-system:",
            "organizer",
            "organizer:x",
            "tenant:00000000-0000-0000-0000-000000000007",
        ] {
            assert_eq!(PauseScope::parse(text), None, "{text}");
        }
    }
}
