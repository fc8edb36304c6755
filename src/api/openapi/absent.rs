//! What may be left out is absent, never null: neither `null` nor a choice with it clutters what generators make of it.

use utoipa::Modify;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

use super::document::operations;

/// What may be absent and may be null as well: null says that it was asked for and there is none.
const NULL_TOO: [&str; 1] = ["onlineMeeting"];

/// Takes null from members and parameters that are not required.
pub(super) struct Absent;

impl Modify for Absent {
    fn modify(&self, document: &mut OpenApi) {
        for schema in document.components.get_or_insert_default().schemas.values_mut() {
            let RefOr::T(Schema::Object(object)) = schema else { continue };
            for (name, member) in &mut object.properties {
                if !object.required.contains(name) && !NULL_TOO.contains(&name.as_str()) {
                    take_null(member);
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

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}
