//! Pages of a list.

use serde::Serialize;
use utoipa::ToSchema;

use super::{AuditEventBody, BookingBody};

/// One page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageBody<T> {
    /// What is on this page.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// One page of bookings, newest first.
#[derive(ToSchema)]
#[schema(as = BookingPage, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what PageBody writes")]
pub(crate) struct BookingPageBody {
    /// The bookings.
    items: Vec<BookingBody<'static>>,
    /// The parameter `cursor` of the next page, opaque; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One page of history.
#[derive(ToSchema)]
#[schema(as = AuditEventPage, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what PageBody writes")]
pub(crate) struct AuditEventPageBody {
    /// The events.
    items: Vec<AuditEventBody<'static>>,
    /// The parameter `cursor` of the next page, opaque; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What a problem means and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProblemExplained)]
pub(crate) struct ProblemExplainedBody {
    /// The problem's `type`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Its code.
    pub(crate) code: &'static str,
    /// Its name.
    pub(crate) title: &'static str,
    /// Its HTTP status.
    pub(crate) status: u16,
    /// Whether the same request may succeed later with nobody doing anything.
    pub(crate) retryable: bool,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) what_to_do: &'static str,
}
