//! Every statement that writes, with its connection lost before it is run and after it is committed.

use super::proof::{last_call, prove, prove_all};
use super::steps::{WalkStep, steps_of};
use super::walk::{Cell, Part};
use crate::support::{CutPoint, TestApp};

#[tokio::test]
async fn postgres_is_lost_while_a_meeting_is_made() {
    postgres_is_lost_on(Part::Made).await;
}

#[tokio::test]
async fn postgres_is_lost_while_a_meeting_is_changed_or_checked() {
    postgres_is_lost_on(Part::Changed).await;
}

#[tokio::test]
async fn postgres_is_lost_while_a_meeting_is_removed() {
    postgres_is_lost_on(Part::Removed).await;
}

#[tokio::test]
async fn postgres_is_lost_while_work_is_resumed_or_handed_back() {
    postgres_is_lost_on(Part::Resumed).await;
}

async fn postgres_is_lost_on(part: Part) {
    let app = TestApp::builder().behind_proxy().start().await;
    for walk in part.walks() {
        for step in steps_of(&app, walk).await {
            let WalkStep::Write(statement, place) = step else { continue };
            if !walk.has_cells_for(statement) {
                continue;
            }
            for cut_point in [CutPoint::BeforeRun, CutPoint::AfterCommit] {
                let cell = Cell::of(walk, &step.name(), &format!("{cut_point:?}"));
                cell.prepare(&app).await;
                let (mark, cuts) = (last_call(&app), app.proxy().cuts().len());
                app.proxy().let_pass(statement, place);
                app.proxy().cut(statement, cut_point);
                cell.carry_out(&app).await;
                assert_eq!(app.proxy().cuts()[cuts..], [(statement, cut_point)], "{}", cell.name);
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
