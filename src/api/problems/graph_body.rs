//! What Graph answered, as bookings and problems show it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::meeting::Evidence;

/// What Graph answered; Microsoft support asks for the ids and the date.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GraphAnswer)]
pub(crate) struct GraphBody {
    /// HTTP status; absent when no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Graph's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Graph's message, or what failed on the way to Graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The header `request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The header `client-request-id`: the id of the attempt, as the history names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_id: Option<String>,
    /// The header `Date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

impl From<&Evidence> for GraphBody {
    fn from(evidence: &Evidence) -> Self {
        Self {
            status: evidence.status,
            code: evidence.code.clone(),
            message: evidence.message.clone(),
            request_id: evidence.request_id.clone(),
            client_request_id: evidence.client_request_id.clone(),
            date: evidence.date.clone(),
        }
    }
}
