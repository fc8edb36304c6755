//! A problem as it is answered (RFC 9457).

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::attendee_changes_body::AttendeeChangesBody;
use super::graph_body::GraphBody;
use crate::booking::{AttendeeChanges, Difference, MemberFault, Sides, cut_place};

/// What went wrong. The members after `requestId` are there where they apply.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// `/problems/<code>`: a page that says what it means and what to do.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The problem's title.
    pub(crate) title: &'a str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What went wrong this time.
    pub(crate) detail: &'a str,
    /// The path of the request.
    pub(crate) instance: &'a str,
    /// The problem's code: programs decide on it.
    #[schema(value_type = crate::api::openapi::words::ProblemWord)]
    pub(crate) code: &'a str,
    /// Whether the same request may succeed later without anyone doing anything.
    pub(crate) retryable: bool,
    /// The request's id, by which the operator finds the request in the log.
    pub(crate) request_id: Uuid,
    /// All faults of the request at once, or the first hundred of them; `detail` says then that there are more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 100)]
    pub(crate) errors: Vec<ErrorBody>,
    /// The fields in which the stored and the requested booking differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) differences: Vec<DifferenceBody>,
    /// What Graph answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) graph: Option<GraphBody>,
    /// What an administrator should run, grant or check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// After how many seconds to ask again, as in the header Retry-After.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_seconds: Option<u64>,
    /// The booking as it stands, without its attendees.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::api::bookings::BookingBody<'static>>)]
    pub(crate) booking: Option<Box<RawValue>>,
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RequestError)]
pub(crate) struct ErrorBody {
    /// JSON Pointer (RFC 6901) to the member of the body; one that is longer is cut and ends in an ellipsis.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    pub(crate) pointer: Option<String>,
    /// The name of the query's parameter, or of the header; cut likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    pub(crate) parameter: Option<String>,
    /// What is wrong with it, as a sentence without its subject.
    pub(crate) detail: String,
}

impl ErrorBody {
    /// A fault of a parameter of the query.
    pub(crate) fn of_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(cut_place(name.to_owned())), detail: detail.into() }
    }
}

impl From<MemberFault> for ErrorBody {
    fn from(fault: MemberFault) -> Self {
        Self { pointer: Some(fault.pointer), parameter: None, detail: fault.detail }
    }
}

/// A field in which two bookings differ.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Difference)]
pub(crate) struct DifferenceBody {
    /// The member's name.
    pub(crate) field: &'static str,
    /// The stored value; absent with the field `attendees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored: Option<Value>,
    /// The value in this request; absent with the field `attendees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requested: Option<Value>,
    /// Who differs, from the stored booking to this request; only with the field `attendees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AttendeeChangesBody>)]
    pub(crate) attendees: Option<AttendeeChanges>,
}

impl From<Difference> for DifferenceBody {
    fn from(Difference { field, sides }: Difference) -> Self {
        match sides {
            Sides::Values { stored, requested } => {
                Self { field, stored: Some(stored), requested: Some(requested), attendees: None }
            }
            Sides::Attendees(changes) => {
                Self { field, stored: None, requested: None, attendees: Some(changes.cut()) }
            }
        }
    }
}
