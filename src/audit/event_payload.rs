//! What an event says beyond its columns.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::booking::{BookingSpec, Dtstamp, Sequence};
use crate::clock::Timestamp;
use crate::meeting::{Evidence, MeetingDifference};

/// What is known of an event, in the form in which it is kept and shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventPayload {
    /// The request behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The request's W3C `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What was asked of us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<BookingSpec>,
    /// The sequence of the message, where it asks for no booking: a cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// Its time stamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtstamp: Option<Dtstamp>,
    /// The attempt that this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptFacts>,
    /// What Graph answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<Evidence>,
    /// The SHA-256 of the link by which people join, in hexadecimal digits: the link itself is no matter of the history, and so
    /// it can be told whether the booking still has the one that Graph gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_web_url_sha256: Option<String>,
    /// The members of the booking that were changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs_in: Vec<String>,
    /// In what the meeting that Graph answered with differs from the booking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<MeetingDifference>,
    /// What was done about drift: `mend`, `report` or `adopt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<String>,
    /// What was decided then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextFacts>,
    /// A sentence for a reader, where the rest doesn't say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One call to Graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptFacts {
    /// Its id, sent as `client-request-id`.
    pub id: Uuid,
    /// Its number among the booking's attempts, from 1.
    pub number: u32,
    /// Which call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Timestamp,
}

/// What was decided after an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextFacts {
    /// The booking's status from here on.
    pub status: String,
    /// The next call, where one follows at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// When it is due again, if it is.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}
