//! Every call to Graph, failing in every way.

use futures_util::future::join_all;
use meeting_provisioner::msgraph_simulator::{Effect, GatewayBody, InjectedFault, Operation};

use super::proof::{calls_of, last_call, prove, prove_all};
use super::steps::{WalkStep, steps_of};
use super::walk::{Cell, FOR_EVER, Part, Walk};
use crate::support::TestApp;

/// What Graph does, with a name for each.
fn failures() -> [(&'static str, Effect); 11] {
    let soon = Some("2".to_owned());
    [
        ("reset-before", Effect::ConnectionReset),
        ("answer-lost", Effect::AnswerLost),
        ("truncated", Effect::TruncatedBody),
        ("429-before", Effect::ThrottledBeforeWork { retry_after: soon.clone() }),
        ("429-after", Effect::ThrottledAfterWork { retry_after: soon.clone() }),
        ("500-before", Effect::FailedBeforeWork { status: 500, retry_after: None }),
        ("500-after", Effect::FailedAfterWork { status: 500, retry_after: None }),
        ("503-before", Effect::FailedBeforeWork { status: 503, retry_after: soon.clone() }),
        ("503-after", Effect::FailedAfterWork { status: 503, retry_after: soon }),
        ("503-without-a-time", Effect::FailedBeforeWork { status: 503, retry_after: None }),
        ("504-after", Effect::FailedAfterWork { status: 504, retry_after: None }),
    ]
}

/// What Graph refuses for now, or doesn't find yet, with a name for each.
fn refusals() -> [(&'static str, Effect); 9] {
    let says = |status, retry_after: Option<&str>, body: &str| {
        let headers = retry_after.map(|seconds| ("Retry-After".to_owned(), seconds.to_owned()));
        let headers = headers.into_iter().collect();
        Effect::Respond { status, headers, body: body.to_owned(), after_work: false }
    };
    [
        ("400-empty", says(400, None, "")),
        ("400-without-a-word", says(400, None, r#"{"error":{}}"#)),
        ("404-before", Effect::NotFound),
        ("408-before", says(408, None, "")),
        ("409-before", Effect::Collision),
        ("409-with-a-time", says(409, Some("2"), "")),
        ("423-before", says(423, None, "")),
        ("424-before", says(424, None, "")),
        ("425-with-a-time", says(425, Some("2"), "")),
    ]
}

/// What stands before Graph answers in its place, with a name for each.
fn gateways() -> [(&'static str, Effect); 11] {
    use GatewayBody::{Empty, Json, Page, Text};
    let answers = |status, body, after_work| Effect::Gateway { status, body, after_work };
    [
        ("page-200-before", answers(200, Page, false)),
        ("page-200-after", answers(200, Page, true)),
        ("empty-200-before", answers(200, Empty, false)),
        ("empty-204-before", answers(204, Empty, false)),
        ("empty-204-after", answers(204, Empty, true)),
        ("json-200-before", answers(200, Json, false)),
        ("page-302-before", answers(302, Page, false)),
        ("json-400-before", answers(400, Json, false)),
        ("page-403-before", answers(403, Page, false)),
        ("text-404-before", answers(404, Text, false)),
        ("page-502-after", answers(502, Page, true)),
    ]
}

/// Graph answers after we have stopped waiting.
fn slowness() -> [(&'static str, Effect); 2] {
    [
        ("slow-before", Effect::SlowBeforeWork { milliseconds: FOR_EVER }),
        ("slow-after", Effect::SlowAfterWork { milliseconds: FOR_EVER }),
    ]
}

#[tokio::test]
async fn graph_fails_while_a_meeting_is_made() {
    graph_fails_on(Part::Made).await;
}

#[tokio::test]
async fn graph_fails_while_a_meeting_is_changed_or_checked() {
    graph_fails_on(Part::Changed).await;
}

#[tokio::test]
async fn graph_fails_while_a_meeting_is_removed() {
    graph_fails_on(Part::Removed).await;
}

#[tokio::test]
async fn graph_fails_while_work_is_resumed_or_handed_back() {
    graph_fails_on(Part::Resumed).await;
}

/// Beside those that fail go those that are slow, each walk on a service of its own, for that is mostly waiting.
async fn graph_fails_on(part: Part) {
    let app = TestApp::builder().behind_proxy().start().await;
    let mut calls: Vec<(Walk, Vec<WalkStep>)> = Vec::new();
    for walk in part.walks() {
        // Where the walk itself takes a fault, its calls are those of other walks.
        if !walk.has_a_fault() {
            let steps = steps_of(&app, walk).await;
            calls.push((walk, steps.into_iter().filter(|step| matches!(step, WalkStep::Call(..))).collect()));
        }
    }
    let slow = calls.iter().map(async |(walk, calls)| {
        let app = TestApp::builder().setting("GRAPH__TIMEOUT_SECONDS", "2").start().await;
        fails_in(&app, *walk, calls, &slowness()).await;
        end(app).await;
    });
    let failing = async {
        for (walk, calls) in &calls {
            fails_in(&app, *walk, calls, &failures()).await;
            fails_in(&app, *walk, calls, &gateways()).await;
            // Entra refuses nothing for now.
            let is_for_graph = |step: &&WalkStep| !matches!(step, WalkStep::Call(Operation::Token, _));
            let calls: Vec<WalkStep> = calls.iter().filter(is_for_graph).copied().collect();
            fails_in(&app, *walk, &calls, &refusals()).await;
        }
    };
    tokio::join!(failing, join_all(slow));
    end(app).await;
}

async fn fails_in(app: &TestApp, walk: Walk, calls: &[WalkStep], effects: &[(&str, Effect)]) {
    for step in calls {
        let WalkStep::Call(operation, place) = *step else { continue };
        for (fault, effect) in effects {
            let cell = Cell::of(walk, &step.name(), fault);
            cell.prepare(app).await;
            let mark = last_call(app);
            let skipped = u32::try_from(place).unwrap();
            app.simulator.inject(InjectedFault::on(operation, effect.clone()).after(skipped));
            cell.carry_out(app).await;
            let struck = calls_of(app, mark);
            let struck = struck.iter().filter(|call| call.faults.contains(&effect.kind())).count();
            assert_eq!(struck, 1, "{}: the fault strikes once", cell.name);
            prove(app, &cell, mark).await;
            cell.ask_again(app).await;
            prove(app, &cell, mark).await;
            app.simulator.clear_faults();
        }
    }
}

async fn end(app: TestApp) {
    prove_all(&app).await;
    app.end().await;
}
