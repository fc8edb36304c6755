//! A booking, as callers send it. Only described here: `booking::parse_with_id` reads it, to report all faults at once. What
//! form its texts have stands in `openapi::forms`.

use std::borrow::Cow;

use time::OffsetDateTime;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::meeting_settings_body::BookingRequestSettingsBody;
use super::open_bodies::MetadataBody;

/// What a booking system asks for. Members that are not listed are refused; null is as good as absent.
#[derive(ToSchema)]
#[schema(as = BookingRequest, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_with_id reads")]
pub(crate) struct BookingRequestBody {
    /// The booking's name in your system: printable ASCII (0x20 to 0x7E), no space at either end. The same name is the
    /// same booking, forever.
    booking_id: String,
    /// On whose behalf the meeting exists: an Entra object id, or a user principal name (one address) which the service
    /// resolves.
    organizer: String,
    /// The meeting's subject.
    subject: Option<String>,
    /// Start: RFC 3339 with an offset. It may lie in the past.
    start_date_time: OffsetDateTime,
    /// End: RFC 3339 with an offset, at most 400 days after the start. Absent: start + 1 h.
    end_date_time: Option<OffsetDateTime>,
    /// Who may take part with which role, no `upn` twice. This service sends no mail and makes no calendar entry.
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
    /// iCalendar's DTSTAMP (RFC 5546, 2.1.5): when you wrote this message, RFC 3339 with an offset; kept to the microsecond.
    /// It orders messages that `sequence` doesn't.
    dtstamp: Option<OffsetDateTime>,
    /// What to store beside the booking.
    metadata: Option<MetadataBody>,
}

/// The same booking where the path names it: its id may be left out. All else is described once, above.
pub(crate) enum PutBookingRequestBody {}

impl ToSchema for PutBookingRequestBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PutBookingRequest")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        BookingRequestBody::schemas(schemas);
    }
}

impl PartialSchema for PutBookingRequestBody {
    fn schema() -> RefOr<Schema> {
        let mut schema = BookingRequestBody::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.retain(|name| name != BOOKING_ID);
            object.description = Some(
                "The whole desired booking: what it leaves out is removed, except `sequence`, `dtstamp` and `subject`. Members that \
                 are not listed are refused; null is as good as absent."
                    .to_owned(),
            );
            if let Some(RefOr::T(Schema::Object(id))) = object.properties.get_mut(BOOKING_ID) {
                id.description =
                    Some("May be left out; otherwise it must be the one in the path.".to_owned());
            }
        }
        schema
    }
}

const BOOKING_ID: &str = "bookingId";

/// One person of the meeting.
#[derive(ToSchema)]
#[schema(as = BookingRequestAttendee, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_with_id reads")]
pub(crate) struct BookingRequestAttendeeBody {
    /// Entra object id; recommended, but not required.
    user_id: Option<Uuid>,
    /// User principal name: one address, without a scheme or a display name.
    upn: String,
    /// What the person may do in the meeting; `attendee` where it is absent.
    #[schema(value_type = Option<crate::api::openapi::words::AttendeeRoleWord>)]
    role: Option<String>,
}

/// Where the chat of a meeting in a channel takes place.
#[derive(ToSchema)]
#[schema(as = BookingRequestChatInfo, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what booking::parse_with_id reads")]
pub(crate) struct BookingRequestChatBody {
    /// The channel's thread.
    thread_id: String,
}
