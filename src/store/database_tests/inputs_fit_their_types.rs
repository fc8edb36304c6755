//! Composite values are sent by position: each struct must have the fields of its type, in their order.

use sqlx::PgPool;

use super::rows::TestStore;
use crate::store::writing::input::{
    AttemptInput, BookingInput, DeclarationInput, EventInput, SettlementInput, TombstoneInput,
};

/// The attributes of a type, each with its own type.
async fn attributes_of(pool: &PgPool, type_name: &str) -> Vec<(String, String)> {
    sqlx::query_as(
        "select attname::text,
             case pg_type.typcategory when 'A' then ltrim(pg_type.typname, '_') || '[]' else pg_type.typname::text end
         from pg_attribute join pg_type on pg_type.oid = atttypid
         where attrelid = (select typrelid from pg_type where oid = $1::text::regtype)
             and attnum > 0 and not attisdropped
         order by attnum",
    )
    .bind(type_name)
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_input_has_the_attributes_of_its_type() {
    let TestStore { pool, .. } = &TestStore::start().await;
    let inputs = [
        (AttemptInput::TYPE_NAME, AttemptInput::attributes()),
        (BookingInput::TYPE_NAME, BookingInput::attributes()),
        (DeclarationInput::TYPE_NAME, DeclarationInput::attributes()),
        (EventInput::TYPE_NAME, EventInput::attributes()),
        (SettlementInput::TYPE_NAME, SettlementInput::attributes()),
        (TombstoneInput::TYPE_NAME, TombstoneInput::attributes()),
    ];
    for (type_name, attributes) in &inputs {
        assert_eq!(*attributes, attributes_of(pool, type_name).await, "{type_name}");
    }
    let known: Vec<String> = sqlx::query_scalar(
        "select typname::text from pg_type join pg_class on pg_class.oid = typrelid
         where typtype = 'c' and relkind = 'c' and typnamespace = 'public'::regnamespace order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(known, inputs.map(|(type_name, _)| type_name), "no type is left without a struct");
}
