//! Objects whose members this service doesn't know beforehand, as the document describes them.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::booking::{METADATA_NAME_MAX, METADATA_PAIRS_MAX, METADATA_TEXT_MAX};

/// Any text without U+0000, which Postgres doesn't keep.
const NO_NUL: &str = r"^[^\u0000]*$";

/// What a caller stores beside a booking.
pub(crate) enum MetadataBody {}

/// A meeting as Graph sent it.
pub(crate) enum OnlineMeetingBody {}

impl ToSchema for MetadataBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("BookingMetadata")
    }
}

impl PartialSchema for MetadataBody {
    fn schema() -> RefOr<Schema> {
        let no_nul =
            || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).pattern(Some(NO_NUL));
        let text = RefOr::<Schema>::T(no_nul().max_length(Some(METADATA_TEXT_MAX)).into());
        let name: Schema = no_nul().min_length(Some(1)).max_length(Some(METADATA_NAME_MAX)).into();
        let object = object(
            "Up to 16 pairs that are stored and returned, never sent to Graph: names up to 128, texts up to 512 \
             characters. Not for personal data: they are kept in the history.",
        );
        let object = object.max_properties(Some(METADATA_PAIRS_MAX)).property_names(Some(name));
        RefOr::T(object.additional_properties(Some(AdditionalProperties::from(text))).into())
    }
}

impl ToSchema for OnlineMeetingBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("OnlineMeeting")
    }
}

impl PartialSchema for OnlineMeetingBody {
    fn schema() -> RefOr<Schema> {
        let object = object("Graph's `onlineMeeting`, as it was sent; its members are Graph's.");
        RefOr::T(object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true))).into())
    }
}

fn object(meaning: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).description(Some(meaning))
}
