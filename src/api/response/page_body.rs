//! One page of a list.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::reading::UnreadableRow;

/// One page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageBody<T> {
    /// The items of this page.
    pub(crate) items: Vec<T>,
    /// What belongs on this page and can't be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<UnreadableBody>,
    /// Whether there may be more by now.
    pub(crate) has_more: bool,
    /// Where the next page begins; null where nothing can follow.
    pub(crate) next_cursor: Option<String>,
}

/// Something that belongs on a page and that the version that answered can't read: usually a newer version wrote it, while
/// one takes the place of the other. Ask again later; if it stays, tell the operator, whose log says why.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Unreadable)]
pub(crate) struct UnreadableBody {
    /// The booking's source system.
    source_system: String,
    /// The booking.
    booking_id: String,
    /// The booking's generation.
    generation: i32,
    /// The event's number, if it is an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]+$")]
    event_id: Option<String>,
}

impl UnreadableBody {
    /// A row, as callers are told of it.
    pub(crate) fn of(row: &UnreadableRow) -> Self {
        Self {
            source_system: row.source_system.clone(),
            booking_id: row.booking_id.clone(),
            generation: row.generation,
            event_id: row.event_id.map(|id| id.to_string()),
        }
    }
}
