//! What an answer may leave out is absent there, never null: neither `null` nor a choice with it clutters what generators make of
//! it. What a request may leave out may be null as well, for many programs write their empty members so.

use utoipa::Modify;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

use super::document::operations;
use super::forms::is_request;

/// What may be absent and may be null as well: null says that it was asked for and there is none.
const NULL_TOO: [&str; 1] = ["onlineMeeting"];

/// Takes null from members and parameters that are not required, and gives it to those of a request's body.
pub(super) struct Absent;

impl Modify for Absent {
    fn modify(&self, document: &mut OpenApi) {
        for (schema_name, schema) in &mut document.components.get_or_insert_default().schemas {
            let RefOr::T(Schema::Object(object)) = schema else { continue };
            for (name, member) in &mut object.properties {
                if !object.required.contains(name) && !NULL_TOO.contains(&name.as_str()) {
                    take_null(member);
                    if is_request(schema_name) {
                        give_null(member);
                    }
                }
            }
        }
        for operation in operations(document) {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && let Some(schema) = &mut parameter.schema
                {
                    take_null(schema);
                }
            }
        }
    }
}

fn take_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => take_null_type(&mut object.schema_type),
        RefOr::T(Schema::Array(array)) => take_null_type(&mut array.schema_type),
        RefOr::T(Schema::OneOf(choice)) => {
            choice.items.retain(|item| !is_null(item));
            if let [only] = choice.items.as_slice() {
                *schema = only.clone();
            }
        }
        _ => {}
    }
}

fn take_null_type(kind: &mut SchemaType) {
    if let SchemaType::Array(kinds) = kind {
        kinds.retain(|kind| *kind != Type::Null);
        if let [only] = kinds.as_slice() {
            *kind = SchemaType::Type(only.clone());
        }
    }
}

/// Null as well, also for the members of an object within: none of them is required.
fn give_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.properties.values_mut().for_each(give_null);
            give_null_type(&mut object.schema_type);
        }
        RefOr::T(Schema::Array(array)) => give_null_type(&mut array.schema_type),
        RefOr::Ref(named) => {
            let description = std::mem::take(&mut named.description);
            let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
            let choice = OneOfBuilder::new().item(named.clone()).item(null);
            *schema = RefOr::T(choice.description(Some(description).filter(|text| !text.is_empty())).into());
        }
        RefOr::T(_) => {}
    }
}

fn give_null_type(kind: &mut SchemaType) {
    if let SchemaType::Type(only) = kind {
        *kind = SchemaType::Array(vec![only.clone(), Type::Null]);
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}
