//! What a call's end says of Graph, and about whom.

use crate::booking::{Upn, UserId};
use crate::meeting::{HeardFrom, Outcome, Reply};

/// What a call's end says of Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is there, in working order.
    Answered,
    /// It asks for fewer calls.
    Throttled,
    /// It answered that it is out of order, or something before it did.
    Failed,
    /// No answer came.
    Silent,
    /// Nothing: it was not asked.
    None,
}

/// For whom a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// For this organizer's meetings.
    Organizer(UserId),
    /// To find out whose this name is.
    Name(Upn),
    /// For none that is known.
    Unknown,
}

impl Sign {
    /// What a reply says of Graph.
    pub(super) fn of(reply: &Reply, heard_from: HeardFrom) -> Self {
        match heard_from {
            HeardFrom::Graph { .. } => {}
            HeardFrom::TokenEndpoint | HeardFrom::NotAsked => return Self::None,
        }
        match reply.outcome {
            Outcome::Throttled { .. } => Self::Throttled,
            // Half an answer, or one of a gateway's, is an answer.
            Outcome::Unavailable { .. } | Outcome::Unknown if reply.evidence.status.is_some() => Self::Failed,
            Outcome::Unavailable { .. } | Outcome::Unknown => Self::Silent,
            _ => Self::Answered,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::meeting::{Evidence, Refusal};

    /// Only what Graph was asked says something of it.
    #[test]
    fn each_end_says_what_it_can() {
        let graph = HeardFrom::Graph { connection: 1 };
        let unavailable = || Outcome::Unavailable { retry_after: None };
        for (outcome, status, heard_from, expected) in [
            (Outcome::Gone, Some(204), graph, Sign::Answered),
            (Outcome::Refused(Refusal::Forbidden), Some(403), graph, Sign::Answered),
            (Outcome::Refused(Refusal::Unauthorized), Some(401), graph, Sign::Answered),
            (Outcome::Throttled { retry_after: None }, Some(429), graph, Sign::Throttled),
            (unavailable(), Some(503), graph, Sign::Failed),
            (unavailable(), None, graph, Sign::Silent),
            (Outcome::Unknown, None, graph, Sign::Silent),
            (Outcome::Unknown, Some(200), graph, Sign::Failed),
            (unavailable(), Some(503), HeardFrom::TokenEndpoint, Sign::None),
            (unavailable(), None, HeardFrom::TokenEndpoint, Sign::None),
            (Outcome::Refused(Refusal::Unauthorized), Some(401), HeardFrom::TokenEndpoint, Sign::None),
            (Outcome::Refused(Refusal::Request), None, HeardFrom::NotAsked, Sign::None),
        ] {
            let evidence = Evidence { status, ..Evidence::begun(datetime!(2026-11-23 08:00 UTC)) };
            let reply = Reply { outcome, evidence };
            assert_eq!(Sign::of(&reply, heard_from), expected, "{reply:?} {heard_from:?}");
        }
    }
}
