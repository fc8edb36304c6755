//! The settings of a meeting, described from the table that the program itself uses.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::api::openapi::words;
use crate::booking::{Choice, LOBBY, MEETING_SETTINGS, MeetingSetting};

const MEANING: &str =
    "Settings of a meeting, by Microsoft Graph's names; one that is not named is left as it is.";

/// Settings, as answers show them.
pub(crate) enum MeetingSettingsBody {}

/// Settings, as callers send them. `booking::MeetingSettings` reads them, to report all faults at once.
pub(crate) enum BookingRequestSettingsBody {}

impl ToSchema for MeetingSettingsBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("MeetingSettings")
    }
}

impl PartialSchema for MeetingSettingsBody {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(settings(false)))
    }
}

impl ToSchema for BookingRequestSettingsBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("BookingRequestSettings")
    }
}

impl PartialSchema for BookingRequestSettingsBody {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(settings(true)))
    }
}

/// All settings; `is_closed` says that no others are allowed, as in a request.
fn settings(is_closed: bool) -> Object {
    let lobby = object("Who can bypass the lobby.", is_closed, |setting| setting.place().0 == Some(LOBBY));
    object(MEANING, is_closed, |setting| setting.place().0.is_none()).property(LOBBY, lobby).build()
}

fn object(meaning: &str, is_closed: bool, holds: impl Fn(&MeetingSetting) -> bool) -> ObjectBuilder {
    let mut object =
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).description(Some(meaning));
    for setting in MEETING_SETTINGS.iter().filter(|setting| holds(setting)) {
        object = object.property(setting.place().1, value(setting));
    }
    if is_closed {
        object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
    } else {
        object
    }
}

fn value(setting: &MeetingSetting) -> RefOr<Schema> {
    match setting.choice {
        Choice::Switch => {
            let value = ObjectBuilder::new().description(Some(setting.meaning));
            RefOr::T(value.schema_type(SchemaType::Type(Type::Boolean)).into())
        }
        Choice::Words(_) => RefOr::Ref(words::setting(setting)),
    }
}
