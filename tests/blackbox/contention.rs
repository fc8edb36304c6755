//! Many requests change one booking at once: each ends, at a bounded cost.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::statement::Statement;
use crate::support::{TestApp, Who, booking};

const REQUESTS: usize = 40;
/// What one request may try.
const TRIES_MAX: usize = 16;

#[tokio::test]
async fn requests_that_collide_end_at_a_bounded_cost() {
    let app = TestApp::builder().setting("DATABASE__CONNECTIONS_MAX", "8").behind_proxy().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let bodies: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let mut body = booking("BK-1");
            body["subject"] = json!(format!("Review {number}"));
            body
        })
        .collect();
    let answers = join_all(bodies.iter().map(|body| app.put("BK-1", body, &[("Prefer", "respond-async")])));
    let answers = answers.await;
    let mut changed = 0;
    for answer in &answers {
        match answer.status {
            200 | 202 => changed += 1,
            503 => assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text),
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert!(changed > 0);
    let declared = app.proxy().run().into_iter().filter(|run| *run == Statement::Declare).count();
    assert!(declared <= REQUESTS * TRIES_MAX, "{declared} statements");
    app.idle().await;
    while app.resume_due().await.unwrap() > 0 {}
    app.end().await;
}
