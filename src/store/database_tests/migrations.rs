//! The schema is made by the migrations, once.

use super::rows::TestStore;

#[tokio::test]
async fn an_empty_database_gets_the_schema_once() {
    let test = TestStore::start_empty().await;
    let empty = test.store.schema_state().await.unwrap();
    assert_eq!(empty.applied, None);
    assert!(test.store.ping().await.is_err(), "without the schema it is not ready");
    for _ in 0..2 {
        test.store.migrate().await.unwrap();
        assert_eq!(test.store.schema_state().await.unwrap().applied, Some(empty.known));
    }
    test.store.ping().await.unwrap();
}
