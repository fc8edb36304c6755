//! Parameters that several operations share. Only described here: `request` reads them, to report all faults at once.

#![expect(dead_code, reason = "they only describe what `request` reads")]

use utoipa::IntoParams;

use super::words;

/// The booking that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path, rename_all = "camelCase")]
pub(crate) struct BookingPath {
    /// The booking's name in its source system, percent-encoded: `a/b` is `a%2Fb`.
    #[param(example = "BK-1001")]
    booking_id: String,
}

/// Which generation of a booking, of which source system.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct GenerationQuery {
    /// The booking's source system; your own where it is absent. Only the roles `audit.read` and `operator` see others.
    #[param(example = "room-booking")]
    source_system: Option<String>,
    /// The generation of the booking; the latest where it is absent.
    #[param(minimum = 1)]
    generation: Option<u32>,
}

/// How long the request waits.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct PreferHeader {
    /// RFC 7240. `wait=N`: wait up to N seconds for the meeting, at most the server's maximum. `respond-async`: don't
    /// wait. Both: answer asynchronously after N seconds. Without: the server's default wait.
    #[param(rename = "Prefer", example = "wait=10")]
    prefer: Option<String>,
}

/// The trace that the request belongs to.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct TraceParentHeader {
    /// W3C Trace Context. What the standard allows is kept in the history and passed on to Graph; anything else is ignored.
    #[param(rename = "traceparent", example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    traceparent: Option<String>,
}

/// The condition of a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct PreconditionHeaders {
    /// Only if the booking still has this `ETag`, or one of several; `*`: only if there is such a booking. Weak tags count as
    /// strong ones.
    #[param(rename = "If-Match", example = "\"1.2\"")]
    if_match: Option<String>,
    /// Only if the booking has none of these `ETag`s; `*`: only if there is no such booking.
    #[param(rename = "If-None-Match", example = "*")]
    if_none_match: Option<String>,
}

/// Which events of the history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct HistoryFilters {
    /// By this actor.
    #[param(example = "api-key:front-desk")]
    actor: Option<String>,
    /// Of this type.
    #[param(rename = "type", example = "meeting.created")]
    kind: Option<words::EventTypeWord>,
    /// With this outcome.
    #[param(example = "throttled")]
    outcome: Option<words::OutcomeWord>,
    /// After which the booking had this status; `failed` finds where bookings were parked.
    #[param(example = "failed")]
    next_status: Option<words::StatusWord>,
    /// Caused by this request: the `requestId` of its answer, and of the log of this service.
    #[param(format = Uuid, example = "019ab0f2-69d0-7f43-8a51-6d0b3c9e2f10")]
    request_id: Option<String>,
    /// At this time or later (RFC 3339 with an offset).
    #[param(format = DateTime)]
    from: Option<String>,
    /// Before this time.
    #[param(format = DateTime)]
    before: Option<String>,
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The most items of a page, 1 to 200; 50 where it is absent. A larger one is lowered to 200. A page may have
    /// fewer.
    #[param(minimum = 1)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, with the same filters and order.
    cursor: Option<String>,
}
