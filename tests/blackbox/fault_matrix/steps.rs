//! The steps of each walk, as they are seen from outside.

use meeting_provisioner::meeting::CallKind;
use meeting_provisioner::msgraph_simulator::Operation;

use super::proof::{calls_of, last_call, prove};
use super::walk::{Cell, Walk};
use crate::support::{Statement, TestApp};

/// One step, with its number among the steps of its kind on its walk, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkStep {
    /// A call to Graph, or for a token.
    Call(Operation, usize),
    /// A statement that writes.
    Write(Statement, usize),
}

impl WalkStep {
    /// Its name, as part of a booking's.
    pub fn name(self) -> String {
        match self {
            Self::Call(operation, place) => format!("{operation:?}-{place}"),
            Self::Write(statement, place) => format!("{statement:?}-{place}"),
        }
    }
}

fn numbered<T: Copy + PartialEq>(seen: &[T], step: fn(T, usize) -> WalkStep) -> Vec<WalkStep> {
    let places = seen.iter().enumerate();
    places.map(|(n, one)| step(*one, seen[..n].iter().filter(|earlier| *earlier == one).count())).collect()
}

/// Carries out a walk without a fault and returns its steps. The service must be behind a proxy.
pub async fn steps_of(app: &TestApp, walk: Walk) -> Vec<WalkStep> {
    let cell = Cell::of(walk, "no-fault", "nothing");
    cell.prepare(app).await;
    let (mark, written) = (last_call(app), app.proxy().run().len());
    cell.carry_out(app).await;
    let called = calls_of(app, mark).into_iter().map(|call| call.operation);
    // A token that was fetched because it was the service's first is no step of this walk.
    let called: Vec<Operation> =
        called.filter(|called| *called != Operation::Token || walk == Walk::Created).collect();
    let mut steps = numbered(&called, WalkStep::Call);
    steps.extend(numbered(&app.proxy().run()[written..], WalkStep::Write));
    prove(app, &cell, mark).await;
    steps
}

fn operation(kind: CallKind) -> Operation {
    match kind {
        CallKind::FindOrganizer => Operation::User,
        CallKind::CreateOrGet => Operation::CreateOrGet,
        CallKind::Change => Operation::Patch,
        CallKind::Look => Operation::Get,
        CallKind::Remove => Operation::Delete,
    }
}

/// The list of kinds is that of the enumeration, as the list of statements is that of the files.
#[test]
fn every_kind_of_call_is_known() {
    let text = std::fs::read_to_string("src/meeting/call.rs").unwrap();
    let declared = text.split("pub enum CallKind {").nth(1).unwrap().split("\n}").next().unwrap();
    let declared = declared.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let declared: Vec<&str> = declared.map(|line| line.trim_end_matches(',')).collect();
    assert_eq!(declared, CallKind::ALL.map(|kind| format!("{kind:?}")));
}

/// Every kind of call, the fetching of a token and every statement that writes is a step of some walk, and so has its
/// cells. Calls must be on a walk that has no fault of its own, for the others get no faults of Graph besides.
#[tokio::test]
async fn every_step_is_part_of_a_walk() {
    let app = TestApp::builder().behind_proxy().start().await;
    let (mut called, mut written) = (Vec::new(), Vec::new());
    for walk in Walk::ALL {
        for step in steps_of(&app, walk).await {
            match step {
                WalkStep::Call(operation, _) if !walk.has_a_fault() => called.push(operation),
                WalkStep::Call(..) => {}
                WalkStep::Write(statement, _) => written.push(statement),
            }
        }
    }
    for wanted in CallKind::ALL.map(operation).into_iter().chain([Operation::Token]) {
        assert!(called.contains(&wanted), "no walk goes through {wanted:?}");
    }
    for wanted in Statement::ALL {
        assert!(written.contains(&wanted), "no walk goes through {wanted:?}");
    }
    app.end().await;
}
