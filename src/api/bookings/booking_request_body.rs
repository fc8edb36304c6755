//! A booking, as callers send it. Only described here: `booking::parse_with_id` reads it, to report all faults at once.

use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::meeting_settings_body::BookingRequestSettingsBody;

/// What a booking system asks for. Members that are not listed are refused.
#[derive(ToSchema)]
#[schema(as = BookingRequest, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_with_id reads")]
pub(crate) struct BookingRequestBody {
    /// The booking's name in your system: printable ASCII (0x20 to 0x7E), no space at either end. The same name is the
    /// same booking, forever.
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]([ -~]*[!-~])?$")]
    booking_id: String,
    /// On whose behalf the meeting exists: an Entra object id, or a user principal name (one address) which the service
    /// resolves.
    #[schema(min_length = 1, max_length = 256)]
    organizer: String,
    /// The meeting's subject.
    #[schema(min_length = 1, max_length = 255)]
    subject: Option<String>,
    /// Start: RFC 3339 with an offset. It may lie in the past.
    start_date_time: OffsetDateTime,
    /// End: RFC 3339 with an offset, at most 400 days after the start. Absent: start + 1 h.
    end_date_time: Option<OffsetDateTime>,
    /// Who is invited, no `upn` twice.
    #[schema(max_items = 1000)]
    attendees: Option<Vec<BookingRequestAttendeeBody>>,
    /// For a meeting in a channel; not in every cloud.
    chat_info: Option<BookingRequestChatBody>,
    /// Meeting settings, by Graph's names; one that is not named gets the operator's default for your source system, or
    /// stays as Graph has it.
    settings: Option<BookingRequestSettingsBody>,
    /// iCalendar's SEQUENCE (RFC 5545): how often you have revised the booking.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    sequence: Option<u32>,
    /// Up to 16 pairs that are stored and returned, never sent to Graph: names up to 128, texts up to 512 characters.
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

/// The whole desired booking. Members that are not listed are refused.
#[derive(ToSchema)]
#[schema(as = BookingRequestDeclaration, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_named reads")]
pub(crate) struct DeclarationBody {
    /// May be left out; otherwise it must be the one in the path.
    #[schema(min_length = 1, max_length = 255)]
    booking_id: Option<String>,
    /// On whose behalf the meeting exists: an Entra object id, or a user principal name (one address) which the service
    /// resolves.
    #[schema(min_length = 1, max_length = 256)]
    organizer: String,
    /// The meeting's subject.
    #[schema(min_length = 1, max_length = 255)]
    subject: Option<String>,
    /// Start: RFC 3339 with an offset. It may lie in the past.
    start_date_time: OffsetDateTime,
    /// End: RFC 3339 with an offset, at most 400 days after the start. Absent: start + 1 h.
    end_date_time: Option<OffsetDateTime>,
    /// Who is invited, no `upn` twice.
    #[schema(max_items = 1000)]
    attendees: Option<Vec<BookingRequestAttendeeBody>>,
    /// For a meeting in a channel; not in every cloud.
    chat_info: Option<BookingRequestChatBody>,
    /// iCalendar's SEQUENCE (RFC 5545): how often you have revised the booking.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    sequence: Option<u32>,
    /// Up to 16 pairs that are stored and returned, never sent to Graph: names up to 128, texts up to 512 characters.
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

/// One invited person.
#[derive(ToSchema)]
#[schema(as = BookingRequestAttendee, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_with_id reads")]
pub(crate) struct BookingRequestAttendeeBody {
    /// Entra object id; recommended, but not required.
    user_id: Option<Uuid>,
    /// User principal name: one address, without a scheme or a display name.
    #[schema(min_length = 3, max_length = 256, pattern = r#"^[^@\s"(),:;<>\[\]\\]+@[^@\s"(),:;<>\[\]\\]+$"#)]
    upn: String,
    /// What the person may do in the meeting; `attendee` where it is absent.
    #[schema(schema_with = crate::api::openapi::schema::role, required = false)]
    role: Option<String>,
}

/// Where the chat of a meeting in a channel takes place.
#[derive(ToSchema)]
#[schema(as = BookingRequestChatInfo, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_with_id reads")]
pub(crate) struct BookingRequestChatBody {
    /// The channel's thread.
    #[schema(max_length = 512, pattern = "^19:[!-~]*@thread\\.[!-~]*$")]
    thread_id: String,
}
