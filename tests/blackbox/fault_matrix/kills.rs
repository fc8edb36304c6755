//! Every step, with the process killed there for real. Another replica finishes what it began.

use futures_util::StreamExt;
use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};

use super::proof::{last_call, prove, prove_all};
use super::steps::{WalkStep, steps_of};
use super::walk::{Cell, FOR_EVER, IN_TIME, Part, Walk};
use crate::support::process::Process;
use crate::support::{CutPoint, Statement, TestApp};

#[tokio::test]
async fn killed_while_a_meeting_is_made() {
    killed_on(Part::Made).await;
}

#[tokio::test]
async fn killed_while_a_meeting_is_changed_or_checked() {
    killed_on(Part::Changed).await;
}

#[tokio::test]
async fn killed_while_a_meeting_is_removed() {
    killed_on(Part::Removed).await;
}

#[tokio::test]
async fn killed_while_work_is_resumed_or_handed_back() {
    killed_on(Part::Resumed).await;
}

async fn killed_on(part: Part) {
    let app = TestApp::builder().behind_proxy().start().await;
    let mut kills = Vec::new();
    for walk in part.walks() {
        for step in steps_of(&app, walk).await {
            kills.extend(kills_at(walk, step));
        }
    }
    app.end().await;
    // Few at once: each is mostly waiting, but for its process to start.
    futures_util::stream::iter(kills).for_each_concurrent(3, Kill::carry_out).await;
}

/// Where a process is killed: at a call, before or after Graph has done what was asked, or at a statement.
#[derive(Debug)]
struct Kill {
    cell: Cell,
    step: WalkStep,
    cut_point: CutPoint,
}

impl Kill {
    async fn carry_out(self) {
        match self.step {
            WalkStep::Call(operation, place) => {
                killed_at_call(&self.cell, operation, place, self.cut_point).await;
            }
            WalkStep::Write(statement, place) => {
                killed_at_write(&self.cell, statement, place, self.cut_point).await;
            }
        }
    }
}

fn kills_at(walk: Walk, step: WalkStep) -> Vec<Kill> {
    let has_cells = match step {
        // A process that starts fetches a token to check its credential; there is no booking to be lost.
        WalkStep::Call(operation, _) => operation != Operation::Token && !walk.has_a_fault(),
        // An older generation that is left is found by a claim, which can't be told from the other claims there.
        WalkStep::Write(Statement::Claim, _) if walk == Walk::Replaced => false,
        WalkStep::Write(statement, _) => walk.has_cells_for(statement),
    };
    let cut_points = if has_cells { vec![CutPoint::BeforeRun, CutPoint::AfterCommit] } else { Vec::new() };
    let kill = |cut_point| {
        let fault = if cut_point == CutPoint::BeforeRun { "killed-before" } else { "killed-after" };
        Kill { cell: Cell::of(walk, &step.name(), fault), step, cut_point }
    };
    cut_points.into_iter().map(kill).collect()
}

/// Killed while Graph has the call, before or after it has done what was asked.
async fn killed_at_call(cell: &Cell, operation: Operation, place: usize, cut_point: CutPoint) {
    let does_work = cut_point == CutPoint::AfterCommit;
    let app = TestApp::builder().before_real_time(cell.walk.age()).start().await;
    cell.prepare(&app).await;
    let mark = last_call(&app);
    let process = Process::serve(app.environment()).await;
    let effect = if does_work {
        Effect::SlowAfterWork { milliseconds: FOR_EVER }
    } else {
        Effect::SlowBeforeWork { milliseconds: FOR_EVER }
    };
    let kind = effect.kind();
    app.simulator.inject(InjectedFault::on(operation, effect).after(u32::try_from(place).unwrap()));
    let answer = tokio::spawn(cell.ask(|who, method, path| process.request(who, method, path)).send());
    let arrived = app
        .simulator
        .wait_for_call(IN_TIME, |call| call.faults.contains(&kind) && (call.work_done || !does_work));
    arrived.await.unwrap_or_else(|error| panic!("{}: {error}", cell.name));
    process.kill().await;
    drop(answer.await.unwrap());
    end(app, cell, mark).await;
}

/// Killed at a statement: Postgres is away from then on, so that the process does nothing more before it dies.
async fn killed_at_write(cell: &Cell, statement: Statement, place: usize, cut_point: CutPoint) {
    // A worker claims as it starts. Claims are counted from there, and only the alarm causes the next one.
    let poll = if statement == Statement::Claim { "60" } else { "1" };
    let settings = [("WORKER__POLL_SECONDS", poll), ("HTTP__SHUTDOWN_SECONDS", "1")];
    let app =
        TestApp::builder().settings(&settings).behind_proxy().before_real_time(cell.walk.age()).start().await;
    cell.prepare(&app).await;
    let mark = last_call(&app);
    let process = Process::serve(app.environment()).await;
    app.proxy().until_run(Statement::Claim, &cell.name).await;
    app.proxy().let_pass(statement, place);
    app.proxy().cut(statement, cut_point);
    app.proxy().go_away_after_cut();
    let answer = tokio::spawn(cell.ask(|who, method, path| process.request(who, method, path)).send());
    if cell.walk == Walk::HandedBack {
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

/// The caller, which has no answer or can't be sure of it, sends its request again; another replica does what is due.
async fn end(app: TestApp, cell: &Cell, mark: u64) {
    app.simulator.clear_faults();
    cell.ask_again(&app).await;
    prove(&app, cell, mark).await;
    prove_all(&app).await;
    app.end().await;
}
