//! A call becomes a request: method, address, headers and body.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;
use url::Url;

use super::connection::{ConnectionFault, GraphConnection};
use super::request_wire::{ChangeWire, CreateOrGetWire};
use super::version::GraphVersion;
use crate::booking::{BookingSpec, Organizer, UserId};
use crate::meeting::{AttemptId, Call, MeetingId};

/// Everything but RFC 3986's unreserved characters.
const ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Without it Graph hides every enum value that is newer than the first edition of its enum.
const UNKNOWN_ENUM_MEMBERS: HeaderValue = HeaderValue::from_static("include-unknown-enum-members");

/// One request to Graph, before it is sent.
#[derive(Debug)]
pub(super) struct GraphRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Vec<u8>>,
}

/// A call that can't be sent: nothing at Graph was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestFault {
    #[error("a meeting in a channel (chatInfo) needs Graph's beta version, which this cloud doesn't have")]
    ChatNeedsBeta,
    #[error("the meeting's id {0:?} can't be part of an address")]
    MeetingId(String),
    #[error("the request can't be written: {0}")]
    Body(#[from] serde_json::Error),
    #[error("the request's address can't be written: {0}")]
    Address(#[from] url::ParseError),
}

/// Under which ids a request travels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids<'a> {
    pub(super) attempt: AttemptId,
    pub(super) traceparent: Option<&'a str>,
}

impl GraphRequest {
    /// The request as it goes out. It can go out twice, if the first time the token was refused.
    pub(super) fn outgoing(&self, authorization: &HeaderValue, ids: Ids<'_>) -> Request {
        let mut outgoing = Request::new(self.method.clone(), self.url.clone());
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        let attempt = &*ids.attempt.uuid().hyphenated().encode_lower(&mut buffer);
        let headers = outgoing.headers_mut();
        headers.insert(AUTHORIZATION, authorization.clone());
        headers.insert(ACCEPT, JSON);
        headers.insert(PREFER, UNKNOWN_ENUM_MEMBERS);
        for (name, text) in [(CLIENT_REQUEST_ID, Some(attempt)), (TRACEPARENT, ids.traceparent)] {
            // A trace's parent comes from the caller; one that no header can hold is left out.
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(text).ok()) {
                headers.insert(name, value);
            }
        }
        if let Some(body) = &self.body {
            headers.insert(CONTENT_TYPE, JSON);
            *outgoing.body_mut() = Some(body.clone().into());
        }
        outgoing
    }
}

/// Writes requests for one Graph.
#[derive(Debug)]
pub(super) struct RequestWriter {
    stable: String,
    beta: Option<String>,
    version: GraphVersion,
}

impl RequestWriter {
    /// A writer for this connection.
    pub(super) fn of(connection: &GraphConnection) -> Result<Self, ConnectionFault> {
        connection.check()?;
        let base = |version: GraphVersion| format!("{}/{}", connection.root(), version.as_str());
        Ok(Self {
            stable: base(GraphVersion::V1_0),
            beta: connection.channel_meetings.then(|| base(GraphVersion::Beta)),
            version: connection.version,
        })
    }

    /// Writes the request for a call.
    pub(super) fn write(&self, call: &Call) -> Result<GraphRequest, RequestFault> {
        match call {
            Call::FindOrganizer(upn) => request(Method::GET, &self.user_url(upn.as_str()), None),
            Call::CreateOrGet { organizer, external_id, spec } => {
                let url = self.create_or_get_url(*organizer, spec)?;
                request(Method::POST, &url, json(&CreateOrGetWire::of(spec, *external_id))?)
            }
            Call::Change { organizer, meeting, in_channel, change } => {
                let url = self.meeting_url(*organizer, meeting, *in_channel)?;
                request(Method::PATCH, &url, json(&ChangeWire::of(change))?)
            }
            Call::Look { organizer, meeting, in_channel } => {
                request(Method::GET, &self.meeting_url(*organizer, meeting, *in_channel)?, None)
            }
            Call::Remove { organizer, meeting, in_channel } => {
                request(Method::DELETE, &self.meeting_url(*organizer, meeting, *in_channel)?, None)
            }
        }
    }

    /// Writes the request that looks a user up.
    pub(super) fn read_user(&self, organizer: &Organizer) -> Result<GraphRequest, RequestFault> {
        request(Method::GET, &self.user_url(&organizer.as_text()), None)
    }

    /// A request that needs a token: what comes back without one shows whether Graph is there.
    pub(super) fn probe_url(&self) -> String {
        format!("{}/me", self.base())
    }

    fn base(&self) -> &str {
        match (self.version, &self.beta) {
            (GraphVersion::Beta, Some(beta)) => beta,
            _ => &self.stable,
        }
    }

    /// A meeting in a channel is made by beta, and changed and removed there: whether v1.0 knows it is written nowhere.
    fn base_for(&self, in_channel: bool) -> Result<&str, RequestFault> {
        match &self.beta {
            _ if !in_channel => Ok(self.base()),
            Some(beta) => Ok(beta),
            None => Err(RequestFault::ChatNeedsBeta),
        }
    }

    fn user_url(&self, name: &str) -> String {
        let base = self.base();
        // Graph takes a segment that begins with $ for an operator; Microsoft's way out is the key in parentheses.
        if name.starts_with('$') {
            let quoted = name.replace('\'', "''");
            return format!("{base}/users('{}')?$select=id", encoded(&quoted));
        }
        format!("{base}/users/{}?$select=id", encoded(name))
    }

    fn create_or_get_url(&self, organizer: UserId, spec: &BookingSpec) -> Result<String, RequestFault> {
        let base = self.base_for(spec.chat_thread_id.is_some())?;
        Ok(format!("{base}/users/{organizer}/onlineMeetings/createOrGet"))
    }

    fn meeting_url(
        &self,
        organizer: UserId,
        meeting: &MeetingId,
        in_channel: bool,
    ) -> Result<String, RequestFault> {
        let id = meeting.as_str();
        // The two dot segments would be resolved away, encoded or not, and the call would hit something else.
        if matches!(id, "." | "..") {
            return Err(RequestFault::MeetingId(id.to_owned()));
        }
        Ok(format!("{}/users/{organizer}/onlineMeetings/{}", self.base_for(in_channel)?, encoded(id)))
    }
}

fn request(method: Method, url: &str, body: Option<Vec<u8>>) -> Result<GraphRequest, RequestFault> {
    Ok(GraphRequest { method, url: Url::parse(url)?, body })
}

fn json(body: &impl Serialize) -> Result<Option<Vec<u8>>, RequestFault> {
    Ok(Some(serde_json::to_vec(body)?))
}

fn encoded(id: &str) -> impl std::fmt::Display {
    utf8_percent_encode(id, ID)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
