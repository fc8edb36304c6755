//! What replicas send each other: short messages that may be lost; a lost one costs time, and nothing else.

use std::time::Duration;

use uuid::Uuid;

use crate::booking::ExternalId;

/// Most bookings that one message names. Postgres takes at most 8,000 bytes, and each is 37 of them.
const BOOKINGS_MAX: usize = 200;

/// One running replica, for as long as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReplicaId(Uuid);

impl ReplicaId {
    /// The replica with this id.
    pub(crate) fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id itself.
    pub(super) fn uuid(self) -> Uuid {
        self.0
    }
}

/// What a replica sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// I listen, and have received nothing before. A replica that receives its own knows that notices arrive.
    Listening,
    /// Requests of mine wait for these bookings, so long: send `Settled` when one of them is.
    Awaited {
        /// Which.
        external_ids: Vec<ExternalId>,
        /// How long this is good, cut to milliseconds.
        lasting: Duration,
    },
    /// These bookings are settled, parked, or due at another time than before.
    Settled(Vec<ExternalId>),
    /// Graph asked for a pause, which stands in the store. The notice doesn't say which: every role that may connect to the
    /// database can send one, and only a role that may write the table can make a replica keep a pause.
    Paused,
    /// Something is due and not leased.
    Due,
}

/// A notice and its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReceivedNotice {
    /// The replica that sent it.
    pub(crate) from: ReplicaId,
    /// What it sent.
    pub(crate) notice: Notice,
}

impl Notice {
    /// The names of all kinds.
    pub(crate) const KINDS: [&'static str; 5] = ["listening", "awaited", "settled", "paused", "due"];

    /// What kind it is, as metrics name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Awaited { .. } => "awaited",
            Self::Settled(_) => "settled",
            Self::Paused => "paused",
            Self::Due => "due",
        }
    }

    /// The messages that carry it: parts with spaces between them, the kind first, then the sender.
    pub(super) fn messages(&self, from: ReplicaId) -> Vec<String> {
        let head = format!("{} {}", self.kind(), from.0);
        match self {
            Self::Listening | Self::Due | Self::Paused => vec![head],
            Self::Awaited { external_ids, lasting } => {
                naming(&format!("{head} {}", lasting.as_millis()), external_ids)
            }
            Self::Settled(external_ids) => naming(&head, external_ids),
        }
    }
}

impl ReceivedNotice {
    /// Reads a message; nothing when it is none of ours, such as a newer version's.
    pub(super) fn parse(message: &str) -> Option<Self> {
        let mut parts = message.split(' ');
        let kind = parts.next()?;
        let from = ReplicaId(Uuid::parse_str(parts.next()?).ok()?);
        let notice = match kind {
            "listening" => Notice::Listening,
            "due" => Notice::Due,
            "settled" => Notice::Settled(external_ids(parts)?),
            "paused" => Notice::Paused,
            "awaited" => {
                let lasting = Duration::from_millis(parts.next()?.parse().ok()?);
                Notice::Awaited { external_ids: external_ids(parts)?, lasting }
            }
            _ => return None,
        };
        Some(Self { from, notice })
    }
}

fn naming(head: &str, external_ids: &[ExternalId]) -> Vec<String> {
    let message = |some: &[ExternalId]| {
        some.iter().fold(head.to_owned(), |message, external_id| format!("{message} {external_id}"))
    };
    external_ids.chunks(BOOKINGS_MAX).map(message).collect()
}

fn external_ids<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Vec<ExternalId>> {
    parts.map(|part| Uuid::parse_str(part).ok().map(ExternalId::new)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: u128) -> Vec<ExternalId> {
        (0..count).map(|number| ExternalId::new(Uuid::from_u128(number << 64 | number))).collect()
    }

    #[test]
    fn what_is_sent_is_what_is_received_in_messages_that_postgres_takes() {
        let from = ReplicaId::new(Uuid::from_u128(7));
        for notice in [
            Notice::Listening,
            Notice::Due,
            Notice::Paused,
            Notice::Settled(ids(1_001)),
            Notice::Awaited { external_ids: ids(450), lasting: Duration::from_mins(5) },
        ] {
            let mut named = Vec::new();
            for message in notice.messages(from) {
                assert!(message.len() < 8_000, "{}", message.len());
                let received = ReceivedNotice::parse(&message).unwrap();
                assert_eq!((received.from, received.notice.kind()), (from, notice.kind()));
                match received.notice {
                    Notice::Settled(external_ids) => named.extend(external_ids),
                    Notice::Awaited { external_ids, lasting } => {
                        assert_eq!(lasting, Duration::from_mins(5));
                        named.extend(external_ids);
                    }
                    Notice::Listening | Notice::Due | Notice::Paused => {}
                }
            }
            match notice {
                Notice::Settled(external_ids) | Notice::Awaited { external_ids, .. } => {
                    assert_eq!(named, external_ids);
                }
                Notice::Listening | Notice::Due | Notice::Paused => assert_eq!(named, []),
            }
        }
    }

    #[test]
    fn a_message_that_is_none_of_ours_is_ignored() {
        let id = Uuid::from_u128(7);
        for message in [
            String::new(),
            "settled".to_owned(),
            "settled me".to_owned(),
            format!("settled {id} BK-1"),
            format!("awaited {id} soon {id}"),
            format!("awaited {id}"),
            format!("singing {id}"),
        ] {
            assert_eq!(ReceivedNotice::parse(&message), None, "{message}");
        }
    }
}
