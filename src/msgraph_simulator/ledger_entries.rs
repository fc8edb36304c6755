//! What the ledger holds: calls and meetings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::meetings::SimulatedMeeting;
use super::organizers::UserId;
use super::route::Operation;
use crate::clock::Timestamp;

/// How a call ended, seen from the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum CallOutcome {
    /// Not answered yet.
    UnderWay,
    /// Answered with this status.
    Answered {
        /// The HTTP status.
        status: u16,
    },
    /// Answered with this status, but the connection was closed in the middle of the body.
    Truncated {
        /// The HTTP status.
        status: u16,
    },
    /// The connection was closed without an answer.
    Cut,
    /// The connection was reset without an answer.
    Reset,
}

/// A call as it arrived, and its outcome.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallEntry {
    /// Counted from 1 in the order of arrival.
    pub sequence: u64,
    /// When it had arrived as a whole.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: Timestamp,
    /// What it asks for.
    pub operation: Operation,
    /// The user in the path, percent-decoded: an object id or a UPN.
    pub organizer: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// Path and query as they came over the wire.
    pub path: String,
    /// The headers of interest that were sent, under lower-case names: `client-request-id`, `user-agent`,
    /// `traceparent`, `prefer`, `content-type`, `accept`, `sdkversion`.
    pub headers: BTreeMap<&'static str, String>,
    /// The body as it arrived; a token request's form as JSON, without its secrets. Absent where there was none.
    #[serde(serialize_with = "as_json")]
    pub body: Option<String>,
    /// The `request-id` of the answer.
    pub request_id: uuid::Uuid,
    /// The kinds of the faults that struck.
    pub faults: Vec<&'static str>,
    /// Whether what was asked for has been done, whatever the caller was answered.
    pub work_done: bool,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: CallOutcome,
}

impl CallEntry {
    /// The body as JSON, if it is JSON.
    #[must_use]
    pub fn json_body(&self) -> Option<Value> {
        serde_json::from_str(self.body.as_deref()?).ok()
    }

    /// The status that was answered, whole or truncated.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.outcome {
            CallOutcome::Answered { status } | CallOutcome::Truncated { status } => Some(status),
            CallOutcome::UnderWay | CallOutcome::Cut | CallOutcome::Reset => None,
        }
    }
}

/// JSON stays JSON; anything else is written as a string.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn as_json<S: Serializer>(body: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match body {
        None => serializer.serialize_none(),
        Some(body) => match serde_json::from_str::<&RawValue>(body) {
            Ok(raw) => raw.serialize(serializer),
            Err(_) => serializer.serialize_str(body),
        },
    }
}

/// Exact counts of all calls, including those that the ledger no longer keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallCounts {
    /// Calls that arrived, by operation.
    pub arrived: BTreeMap<Operation, u64>,
    /// Calls whose work was done, by operation.
    pub work_done: BTreeMap<Operation, u64>,
    /// Answers, whole or truncated, by status.
    pub answered: BTreeMap<u16, u64>,
    /// Calls whose connection was closed or reset without an answer.
    pub unanswered: u64,
}

impl CallCounts {
    /// How many calls of an operation arrived.
    #[must_use]
    pub fn arrived(&self, operation: Operation) -> u64 {
        self.arrived.get(&operation).copied().unwrap_or(0)
    }
}

/// A meeting, deleted or not.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingEntry {
    /// The object id of the organizer.
    pub organizer: UserId,
    /// The key that the caller chose.
    pub external_id: String,
    /// Graph's id of the meeting.
    pub id: String,
    /// The join link.
    pub join_web_url: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Timestamp,
    /// When it was deleted, if it was.
    #[serde(with = "time::serde::rfc3339::option")]
    pub deleted_at: Option<Timestamp>,
    #[serde(rename = "content", serialize_with = "raw")]
    json: Arc<str>,
}

fn raw<S: Serializer>(json: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<&RawValue>(json).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

impl MeetingEntry {
    pub(super) fn of(meeting: &SimulatedMeeting) -> Self {
        Self {
            organizer: meeting.key.organizer,
            external_id: meeting.key.external_id.clone(),
            id: meeting.id.clone(),
            join_web_url: meeting.join_web_url.clone(),
            created_at: meeting.created_at,
            deleted_at: meeting.deleted_at,
            json: meeting.content.clone(),
        }
    }

    /// The `onlineMeeting` as it stands now (or stood when it was deleted), without `@odata.context`.
    #[must_use]
    pub fn content(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}

/// Everything the ledger holds at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerSnapshot {
    /// All meetings in the order of their creation.
    pub meetings: Vec<MeetingEntry>,
    /// The calls that are kept, oldest first.
    pub calls: Vec<CallEntry>,
    /// Exact counts of all calls.
    pub counts: CallCounts,
}
