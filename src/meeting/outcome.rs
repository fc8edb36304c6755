//! What became of a call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::observed::{JoinWebUrl, Meeting, MeetingId, Seen};
use crate::booking::UserId;
use crate::clock::Timestamp;

/// What became of one call, and what proves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What became of it.
    pub outcome: Outcome,
    /// What Graph answered.
    pub evidence: Evidence,
}

/// Who answered a call, or left it without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeardFrom {
    /// Graph, or what stands before it.
    Graph {
        /// The number of the connections over which it was asked; another number leads to another machine of Graph's.
        connection: u64,
    },
    /// The token endpoint; Graph was not asked.
    TokenEndpoint,
    /// Neither: the call was answered, or refused, before anything was sent.
    NotAsked,
}

impl Reply {
    /// Whether anybody was asked; a user whose object id is still known needs no call.
    #[must_use]
    pub fn was_asked_for(&self) -> bool {
        !matches!(self.outcome, Outcome::OrganizerFound(_)) || self.evidence.status.is_some()
    }
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The organizer's object id is known now.
    OrganizerFound(UserId),
    /// Graph made the meeting (201).
    Created(Box<SeenMeeting>),
    /// Graph had the meeting (200 to `createOrGet`); it ignored the rest of the body.
    Found(Box<SeenMeeting>),
    /// Graph changed the meeting (2xx to `PATCH`). None where its answer told nothing of the meeting that can be used: an
    /// empty, unreadable or unfilled one.
    Changed(Option<Box<MeetingContent>>),
    /// Graph has the meeting (2xx to `GET`), and told how it is. None as above.
    Seen(Option<Box<MeetingContent>>),
    /// The meeting does not exist any more: Graph, and no other, said so (2xx or 404 to `DELETE`).
    Gone,
    /// Graph said no.
    Refused(Refusal),
    /// Too many calls (429); this one may have been carried out all the same.
    Throttled {
        /// How long Graph asks us to wait.
        retry_after: Option<Duration>,
    },
    /// Graph, or the way to it, has a fault of its own; the call was not carried out as far as anyone can know. What a
    /// gateway, a proxy or a login page answers in Graph's place belongs here.
    Unavailable {
        /// How long Graph asks us to wait.
        retry_after: Option<Duration>,
    },
    /// Sent, but no answer that can be read: ask again, never assume that it failed.
    Unknown,
}

impl Outcome {
    /// The names of all outcomes.
    pub const NAMES: [&'static str; 10] = [
        "resolved",
        "created",
        "found",
        "changed",
        "seen",
        "gone",
        "refused",
        "throttled",
        "unavailable",
        "unknown",
    ];

    /// What Graph told of the meeting in its answer, if it did.
    #[must_use]
    pub fn meeting(&self) -> Option<&MeetingContent> {
        match self {
            Self::Created(seen) | Self::Found(seen) => Some(&seen.content),
            Self::Changed(content) | Self::Seen(content) => content.as_deref(),
            _ => None,
        }
    }

    /// Its name in history, metrics and logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::OrganizerFound(_) => "resolved",
            Self::Created(_) => "created",
            Self::Found(_) => "found",
            Self::Changed(_) => "changed",
            Self::Seen(_) => "seen",
            Self::Gone => "gone",
            Self::Refused(_) => "refused",
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// A meeting as the answer that made it known described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenMeeting {
    /// Graph's id of it.
    pub id: MeetingId,
    /// The link by which people join.
    pub join_web_url: JoinWebUrl,
    /// The meeting's chat.
    pub chat_thread_id: Option<String>,
    /// The rest.
    pub content: MeetingContent,
}

/// What one answer told of a meeting. Its id and link are known from the first one on, so none needs to repeat them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingContent {
    /// The link by which people join, where the answer held one that can be used.
    pub join_web_url: Option<JoinWebUrl>,
    /// What is compared with the booking. Nothing of an answer that Graph hadn't filled yet.
    pub seen: Seen,
    /// The whole answer, JSON text.
    pub online_meeting: Box<str>,
}

impl MeetingContent {
    /// What is compared with the booking, beside the meeting as it is known: a link is told where it is another one.
    #[must_use]
    pub fn seen_beside(&self, known: Option<&Meeting>) -> Seen {
        let other =
            self.join_web_url.as_ref().filter(|told| known.is_some_and(|known| known.join_web_url != **told));
        Seen { join_web_url: other.map(ToString::to_string), ..self.seen.clone() }
    }
}

/// Why Graph said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No application access policy for this organizer, or one that has not taken effect yet.
    OrganizerNotPermitted,
    /// There is no such user, or one who was made moments ago and isn't known everywhere yet (404).
    OrganizerNotFound,
    /// Something isn't found (404), and Graph doesn't say that it is the organizer or the meeting: a chat thread, perhaps.
    SomethingMissing,
    /// Forbidden for another reason: a guest, no licence, consent missing.
    Forbidden,
    /// The request itself is wrong (400 and the like).
    Request,
    /// Our own credential or token is refused.
    Unauthorized,
    /// Not now, which says nothing about the booking (`is_passing`): call again soon, for a while.
    Passing {
        /// How long Graph asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The meeting to be changed or looked at does not exist (404 on an item).
    MeetingMissing,
    /// The same of a meeting made moments ago: the copy of Graph's that answered may not have it yet. Only the booking tells
    /// the two apart (`Booking::answered`).
    MeetingNotThereYet,
}

/// What is kept of one exchange with Graph, for support, operators and auditors. Times and sizes as seen here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// When the call began.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_milliseconds: u64,
    /// HTTP status; absent when nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Graph's (or the token endpoint's) error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its message, or what broke on the way; at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The header `request-id`, which Microsoft support asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The header `client-request-id` as it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// The header `Date`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The header `Retry-After`, as it stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// The header `x-ms-ags-diagnostic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostic: Option<String>,
    /// The header `x-ms-throttle-scope`: whose calls are too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle_scope: Option<String>,
}

impl Evidence {
    /// What is known when an exchange begins: nothing has come back.
    #[must_use]
    pub fn begun(started_at: Timestamp) -> Self {
        Self {
            started_at,
            duration_milliseconds: 0,
            status: None,
            code: None,
            message: None,
            request_id: None,
            client_request_id: None,
            date: None,
            retry_after: None,
            diagnostic: None,
            throttle_scope: None,
        }
    }
}
