//! The derivations of an `externalId` that are printed give what the table beside them says.

use super::code_block::block_under;
use super::python;
use crate::support::postgres::empty_database;

const GUIDE: &str = "docs/API.md";
const HEADING: &str = "The externalId";

/// A row of the table: source system, booking id, generation, and the id.
fn rows() -> Vec<[String; 4]> {
    let text = include_str!("../../../docs/API.md");
    let table = text.split("| source system | bookingId | generation | externalId |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.replace(['`', ' '], "")));
    cells.map(|cells| cells.collect::<Vec<_>>().try_into().unwrap()).collect()
}

/// Python, for each row.
#[tokio::test]
async fn python_derives_what_the_table_says() {
    let mut script = block_under(GUIDE, HEADING, "python");
    let (namespace, tenant) =
        ("6f1d4b0e-3c5a-4f0b-9a67-5f0c2f6b7d21", "9188040d-6c67-4c5b-b112-36a304b66dad");
    script.extend(rows().iter().map(|[source_system, booking_id, generation, _]| {
        format!(
            "print(external_id('{namespace}', '{tenant}', '{source_system}', '{booking_id}', {generation}))\n"
        )
    }));
    let expected: Vec<_> = rows().into_iter().map(|[.., external_id]| external_id).collect();
    assert_eq!(python::run(&script, "").await.lines().collect::<Vec<_>>(), expected);
    assert_eq!(expected.len(), 3);
}

/// SQL, for each row, where this server has the extension: Debian's has it, builds without contrib have not.
#[tokio::test]
async fn sql_derives_what_the_table_says() {
    let database = empty_database().await;
    let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
    let extension = "select count(*) from pg_available_extensions where name = 'uuid-ossp'";
    if sqlx::query_scalar::<_, i64>(extension).fetch_one(&pool).await.unwrap() == 1 {
        sqlx::raw_sql("create extension \"uuid-ossp\"").execute(&pool).await.unwrap();
        let statement = block_under(GUIDE, HEADING, "sql");
        assert!(statement.contains("'room-booking', 'BK-1001', 1)"), "the first row is printed: {statement}");
        for [source_system, booking_id, generation, external_id] in rows() {
            let row = format!("'{source_system}', '{booking_id}', {generation})");
            let statement = statement.replace("'room-booking', 'BK-1001', 1)", &row);
            let found = sqlx::query_scalar::<_, uuid::Uuid>(sqlx::AssertSqlSafe(statement));
            assert_eq!(found.fetch_one(&pool).await.unwrap().to_string(), external_id);
        }
    }
    pool.close().await;
}
