//! The form of the texts that a request may hold, by the name of the parameter or member: written once here, as `booking` and
//! `request` read them, and added to the document wherever the name stands. So a body or query that keeps to the document is
//! refused for its meaning only, never for its form.

use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::{KnownFormat, Object, Schema, SchemaFormat};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{Modify, Number};

use super::document::{has_parameter, operations};
use crate::booking;

/// What a text must be.
#[derive(Debug, Default)]
struct Form {
    length_min: Option<usize>,
    length_max: Option<usize>,
    pattern: Option<String>,
}

impl Form {
    fn not_empty() -> Self {
        Self { length_min: Some(1), ..Self::default() }
    }

    fn of(pattern: impl Into<String>, lengths: std::ops::RangeInclusive<usize>) -> Self {
        Self {
            length_min: Some(*lengths.start()),
            length_max: Some(*lengths.end()),
            pattern: Some(pattern.into()),
        }
    }

    fn pattern(pattern: impl Into<String>) -> Self {
        Self { pattern: Some(pattern.into()), ..Self::default() }
    }

    fn add_to(self, object: &mut Object) {
        object.min_length = self.length_min;
        object.max_length = self.length_max;
        object.pattern = self.pattern;
    }
}

/// The years 1900 to 9998.
const YEARS: &str = "^(19[0-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-";
/// `*`, or entity tags (RFC 9110, 8.8.3) separated by commas.
const ENTITY_TAGS: &str = r#"^(\*|(W/)?"[!#-+\--~]*"( *, *(W/)?"[!#-+\--~]*")*)$"#;
const OBJECT_ID: &str = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";

/// The form of a query's, a path's or a header's parameter; `is_change` says that its operation takes conditions of a change.
fn of_parameter(name: &str, place: &ParameterIn, is_change: bool) -> Option<Form> {
    match name {
        "organizer" if *place == ParameterIn::Path => of_member(name),
        "organizer" | "meetingId" | "actor" | "cursor" => Some(Form::not_empty()),
        "sourceSystem" => Some(Form::of("^[a-z0-9._-]*$", 1..=64)),
        // Of a change: a condition that can't be read must not be passed over. A read passes it over.
        "If-Match" | "If-None-Match" if is_change => Some(Form::pattern(ENTITY_TAGS)),
        "bookingId" | "dtstamp" => of_member(name),
        _ => None,
    }
}

/// The form of a member of a request's body.
fn of_member(name: &str) -> Option<Form> {
    match name {
        "bookingId" => Some(Form::of("^[!-~]([ -~]*[!-~])?$", 1..=255)),
        "organizer" => {
            let (address, longest) = (booking::address_pattern(), booking::ADDRESS_LENGTH_MAX);
            Some(Form::of(format!("^({OBJECT_ID}|{address})$"), 3..=longest))
        }
        "upn" => Some(Form::of(format!("^{}$", booking::address_pattern()), 3..=booking::ADDRESS_LENGTH_MAX)),
        "subject" => Some(Form::of(r"^[^\u0000]*$", 1..=booking::Subject::LENGTH_MAX)),
        "threadId" => Some(Form::of("^19:[!-~]*@thread\\.[!-~]*$", 11..=512)),
        "startDateTime" | "endDateTime" | "dtstamp" => Some(Form::pattern(YEARS)),
        _ => None,
    }
}

/// Adds the forms to the document.
pub(super) struct Forms;

impl Modify for Forms {
    fn modify(&self, document: &mut OpenApi) {
        for (name, schema) in &mut document.components.get_or_insert_default().schemas {
            if let RefOr::T(Schema::Object(object)) = schema
                && is_request(name)
            {
                for (name, member) in &mut object.properties {
                    add(of_member(name), member);
                }
            }
        }
        for operation in operations(document) {
            let is_change = has_parameter(operation, "If-Match");
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && let Some(schema) = &mut parameter.schema
                {
                    let form = of_parameter(&parameter.name, &parameter.parameter_in, is_change);
                    add(form, schema);
                    hold_something(schema);
                    bound_numbers(&parameter.name, schema);
                }
            }
        }
    }
}

/// Whether a schema is about a request's body.
pub(super) fn is_request(name: &str) -> bool {
    name.starts_with("BookingRequest") || name == "PutBookingRequest"
}

fn add(form: Option<Form>, schema: &mut RefOr<Schema>) {
    if let (Some(form), RefOr::T(Schema::Object(object))) = (form, schema) {
        form.add_to(object);
    }
}

/// A list in a query names something: empty it could not be told from an empty text.
fn hold_something(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Array(array)) = schema {
        array.min_items = Some(1);
    }
}

/// `limit` may be any number, however large; a generation has its largest.
fn bound_numbers(name: &str, schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    match name {
        "limit" => object.format = None,
        "generation" => {
            object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
            object.maximum = Some(Number::from(u32::MAX));
        }
        _ => {}
    }
}
