//! Every step, with the process killed there for real. Another replica finishes what it began.

use meeting_provisioner::msgraph_simulator::{Effect, Fault, Operation};

use super::proof::{last_call, prove, prove_all};
use super::steps::{Step, rehearse};
use super::walk::{Cell, FOR_EVER, IN_TIME, Walk};
use crate::support::process::Process;
use crate::support::{Moment, Statement, TestApp};

#[tokio::test]
async fn killed_while_a_meeting_is_made() {
    killed_on(&[Walk::Created, Walk::Named, Walk::WithSettings, Walk::BookedAgain]).await;
}

#[tokio::test]
async fn killed_while_a_meeting_is_changed_or_looked_at() {
    killed_on(&[Walk::Rescheduled, Walk::Mended]).await;
}

#[tokio::test]
async fn killed_while_a_meeting_is_removed() {
    killed_on(&[Walk::CalledOff, Walk::Replaced]).await;
}

#[tokio::test]
async fn killed_while_a_booking_is_resumed_or_handed_back() {
    killed_on(&[Walk::Throttled, Walk::Retried, Walk::HandedBack]).await;
}

async fn killed_on(walks: &[Walk]) {
    let rehearsing = TestApp::start_behind_proxy(&[]).await;
    for walk in walks {
        for step in rehearse(&rehearsing, *walk).await {
            match step {
                // A process that starts fetches a token to check its credential; there is no booking to be lost.
                Step::Call(Operation::Token, _) => {}
                Step::Call(..) if walk.has_a_fault() => {}
                Step::Call(operation, place) => {
                    for does_work in [false, true] {
                        let fault = if does_work { "killed-after" } else { "killed-before" };
                        let cell = Cell::of(*walk, &step.name(), fault);
                        killed_at_call(&cell, (operation, place), does_work).await;
                    }
                }
                Step::Write(statement, _) if is_for_another(*walk, statement) => {}
                Step::Write(statement, place) => {
                    for moment in [Moment::Before, Moment::AfterCommit] {
                        let cell = Cell::of(*walk, &step.name(), &format!("killed-{moment:?}"));
                        killed_at_write(&cell, (statement, place), moment).await;
                    }
                }
            }
        }
    }
    rehearsing.end().await;
}

/// Steps that are not taken by the process to which the request came, or not to be told from its worker's other looks. They
/// have their cells on other walks.
fn is_for_another(walk: Walk, statement: Statement) -> bool {
    match walk {
        Walk::HandedBack => !matches!(statement, Statement::Accept | Statement::Release),
        Walk::Replaced => statement == Statement::Claim,
        _ => false,
    }
}

/// Killed while Graph has the call, before or after it has done what was asked.
async fn killed_at_call(cell: &Cell, (operation, place): (Operation, usize), does_work: bool) {
    let app = TestApp::start_with_now(&[]).await;
    cell.prepare(&app).await;
    let mark = last_call(&app);
    let process = Process::serve(app.environment()).await;
    let effect = if does_work {
        Effect::SlowAfterWork { milliseconds: FOR_EVER }
    } else {
        Effect::SlowBeforeWork { milliseconds: FOR_EVER }
    };
    let kind = effect.kind();
    app.simulator.inject(Fault::on(operation, effect).after(u32::try_from(place).unwrap()));
    let answer = tokio::spawn(cell.ask(|who, method, path| process.request(who, method, path)).send());
    let arrived = app
        .simulator
        .wait_for_call(IN_TIME, |call| call.faults.contains(&kind) && (call.work_done || !does_work));
    arrived.await.unwrap_or_else(|error| panic!("{}: {error}", cell.name));
    process.kill().await;
    drop(answer.await.unwrap());
    end(app, cell, mark).await;
}

/// Killed at a statement: Postgres is away from that moment on, so that the process does nothing more before it dies.
async fn killed_at_write(cell: &Cell, (statement, place): (Statement, usize), moment: Moment) {
    // A worker looks as it starts. A claim is counted from there, and only the alarm makes the next one.
    let poll = if statement == Statement::Claim { "60" } else { "1" };
    let settings = [("WORKER__POLL_SECONDS", poll), ("HTTP__SHUTDOWN_SECONDS", "1")];
    let app = TestApp::start_now_behind_proxy(&settings).await;
    cell.prepare(&app).await;
    let mark = last_call(&app);
    let process = Process::serve(app.environment()).await;
    app.proxy().until_run(Statement::Claim, &cell.name).await;
    app.proxy().let_pass(statement, place);
    app.proxy().cut(statement, moment);
    app.proxy().go_away_after_cut();
    let answer = tokio::spawn(cell.ask(|who, method, path| process.request(who, method, path)).send());
    if cell.walk == Walk::HandedBack && statement == Statement::Release {
        cell.until_graph_hangs(&app).await;
        process.terminate();
    }
    app.proxy().until_cuts(1, &cell.name).await;
    process.kill().await;
    drop(answer.await.unwrap());
    app.proxy().come_back();
    app.until_readyz(200).await;
    end(app, cell, mark).await;
}

/// The caller, who has no answer or can't be sure of it, asks again; another replica does what is due.
async fn end(app: TestApp, cell: &Cell, mark: u64) {
    app.simulator.clear_faults();
    cell.ask_again(&app).await;
    prove(&app, cell, mark).await;
    prove_all(&app).await;
    app.end().await;
}
