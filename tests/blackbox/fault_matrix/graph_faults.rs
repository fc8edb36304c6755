//! Every call to Graph, failing in every way.

use futures_util::future::join_all;
use meeting_provisioner::msgraph_simulator::{Effect, Fault};

use super::proof::{calls_of, last_call, prove, prove_all};
use super::steps::{Step, rehearse};
use super::walk::{Cell, FOR_EVER, Walk};
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

/// Graph answers after we have stopped waiting.
fn slowness() -> [(&'static str, Effect); 2] {
    [
        ("slow-before", Effect::SlowBeforeWork { milliseconds: FOR_EVER }),
        ("slow-after", Effect::SlowAfterWork { milliseconds: FOR_EVER }),
    ]
}

#[tokio::test]
async fn graph_fails_while_a_meeting_is_made() {
    let walks = [Walk::Created, Walk::Named, Walk::WithSettings, Walk::BookedAgain, Walk::Retried];
    graph_fails_on(&walks).await;
}

#[tokio::test]
async fn graph_fails_while_a_meeting_is_changed_or_looked_at() {
    graph_fails_on(&[Walk::Rescheduled, Walk::Mended]).await;
}

#[tokio::test]
async fn graph_fails_while_a_meeting_is_removed() {
    graph_fails_on(&[Walk::CalledOff, Walk::CalledOffUnknown, Walk::Replaced]).await;
}

/// Beside those that fail go those that are slow, each walk on a service of its own, for that is mostly waiting.
async fn graph_fails_on(walks: &[Walk]) {
    let (failing, slow) = (failures(), slowness());
    let slow = walks.chunks(1).map(|walk| fails_in(walk, &slow, &[("GRAPH__TIMEOUT_SECONDS", "1")]));
    tokio::join!(fails_in(walks, &failing, &[]), join_all(slow));
}

async fn fails_in(walks: &[Walk], effects: &[(&str, Effect)], settings: &[(&str, &str)]) {
    let app = TestApp::start_behind_proxy(settings).await;
    for walk in walks {
        for step in rehearse(&app, *walk).await {
            let Step::Call(operation, place) = step else { continue };
            for (fault, effect) in effects {
                let cell = Cell::of(*walk, &step.name(), fault);
                cell.prepare(&app).await;
                let mark = last_call(&app);
                let skipped = u32::try_from(place).unwrap();
                app.simulator.inject(Fault::on(operation, effect.clone()).after(skipped));
                cell.carry_out(&app).await;
                let struck = calls_of(&app, mark);
                let struck = struck.iter().filter(|call| call.faults.contains(&effect.kind())).count();
                assert_eq!(struck, 1, "{}: the fault strikes once", cell.name);
                prove(&app, &cell, mark).await;
                cell.ask_again(&app).await;
                prove(&app, &cell, mark).await;
                app.simulator.clear_faults();
            }
        }
    }
    prove_all(&app).await;
    app.end().await;
}
