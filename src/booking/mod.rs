//! What a caller may ask for.
//!
//! Pure: a JSON body becomes a [`BookingSpec`] or a list of all its faults, a booking's name becomes its
//! [`ExternalId`], and two bookings are compared field by field. Nothing here knows HTTP, SQL or Graph.
//! Called by `api` and `command`, by `provisioning` and by `store`.

mod address;
mod attendee_changes;
mod difference;
mod external_id;
mod key;
mod meeting_setting;
mod meeting_settings;
mod member_fault;
mod members;
mod message_order;
mod organizer_pattern;
mod parse;
mod reach;
mod spec;
mod strict_json;
mod text_types;
mod unknown_names;

pub use address::{ADDRESS_LENGTH_MAX, AddressFault, address_pattern, is_invisible};
pub use attendee_changes::{AttendeeChanges, NAMED_MAX, Participant, ParticipantChange};
pub use difference::{Difference, Sides, differences};
pub use external_id::{DEFAULT_NAMESPACE, Derivation, ExternalId, Namespace, TenantId, derive};
pub use key::{BookingId, BookingKey, Generation, SourceSystem};
pub use meeting_setting::{
    ALLOWED_PRESENTERS, Choice, LOBBY, MEETING_SETTINGS, MeetingSetting, SettingValue,
};
pub use meeting_settings::MeetingSettings;
pub use member_fault::{FAULTS_MAX, FaultList, MemberFault, cut_place, member_pointer};
pub use message_order::{Dtstamp, Lateness, MessageOrder, OrderKey, Precedence};
pub use organizer_pattern::OrganizerPattern;
pub use parse::{
    ATTENDEES_MAX, DURATION_DAYS_MAX, METADATA_NAME_MAX, METADATA_PAIRS_MAX, METADATA_TEXT_MAX, parse,
    parse_named, parse_with_id,
};
pub use reach::{OutOfReach, Reach, Reaches};
pub use spec::{Attendee, AttendeeRole, BookingSpec, Metadata, Organizer};
pub(crate) use strict_json::read_json;
pub use text_types::{ChatThreadId, Sequence, Subject, TextFault, Upn, UserId};
pub use unknown_names::UnknownNames;
