//! In what two lists of attendees differ, as answers and events show it: the schema of `booking::AttendeeChanges`.

#![expect(dead_code, reason = "it only describes what `booking::AttendeeChanges` writes")]

use utoipa::ToSchema;

/// In what attendees differ: at most 20 of each kind are named, the others are counted.
#[derive(ToSchema)]
#[schema(as = AttendeeChanges, rename_all = "camelCase")]
pub(crate) struct AttendeeChangesBody {
    /// Who is in the request and not in the stored booking; of a meeting's difference, in the meeting and not in the booking.
    added: Vec<ParticipantBody>,
    /// The other way round: who is in the stored booking and not in the request; in the booking and not in the meeting.
    removed: Vec<ParticipantBody>,
    /// Who is on both sides, otherwise: `from` as in the booking, `to` as in the request or the meeting.
    changed: Vec<ParticipantChangeBody>,
    /// How many more were added.
    more_added: u32,
    /// How many more were removed.
    more_removed: u32,
    /// How many more were changed.
    more_changed: u32,
}

/// One person of a difference.
#[derive(ToSchema)]
#[schema(as = Participant, rename_all = "camelCase")]
pub(crate) struct ParticipantBody {
    /// User principal name, in lower case; null where Graph gave none.
    #[schema(required)]
    upn: Option<String>,
    /// Object id, where the caller gave one; in a meeting's difference only where there is no name.
    #[schema(required)]
    user_id: Option<String>,
    /// The role, in lower case. Graph may have others than a booking.
    #[schema(example = "presenter")]
    role: String,
}

/// One person that both sides have, otherwise.
#[derive(ToSchema)]
#[schema(as = ParticipantChange)]
pub(crate) struct ParticipantChangeBody {
    /// As in the booking.
    from: ParticipantBody,
    /// As in the request, or in the meeting.
    to: ParticipantBody,
}
