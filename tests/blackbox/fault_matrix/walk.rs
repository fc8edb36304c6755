//! What callers ask for, and how it is carried out.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::drift::organizer_changes;
use crate::support::{Statement, TestApp, Who, booking_with};

/// Generous, for machines that are busy; nothing here is measured.
pub const IN_TIME: Duration = Duration::from_mins(1);
/// Longer than any test runs.
pub const FOR_EVER: u64 = 600_000;
/// Longer than a token is good for.
const LONG: Duration = Duration::from_hours(2);

/// Something that a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// A fresh booking; its token is fetched anew.
    Created,
    /// A fresh booking whose organizer is known by name.
    Named,
    /// A fresh booking with settings, which come by a change after the creation.
    WithSettings,
    /// A booking moved to another time.
    Rescheduled,
    /// A booking that is cancelled.
    Cancellation,
    /// A booking that is cancelled while the outcome of its creation is unknown.
    CancelledUnknown,
    /// A cancel that comes before its booking.
    CancelledBefore,
    /// A booking whose meeting the organizer changed, checked for drift.
    Mended,
    /// A booking that was cancelled, booked again.
    BookedAgain,
    /// A booking that gets another organizer, and so another meeting.
    Replaced,
    /// A fresh booking that Graph throttles.
    Throttled,
    /// A parked booking that an operator has tried again.
    Retried,
    /// A fresh booking on a replica that stops before Graph has answered.
    HandedBack,
}

/// Walks that share a test in each family of faults, so that several run at once. A part that is new needs its tests there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A meeting is made.
    Made,
    /// A meeting is changed or checked.
    Changed,
    /// A meeting is removed.
    Removed,
    /// Work is resumed, retried or handed back.
    Resumed,
}

impl Part {
    /// Its walks.
    pub fn walks(self) -> Vec<Walk> {
        Walk::ALL.into_iter().filter(|walk| walk.part() == self).collect()
    }
}

/// So long after Graph's last word a check asks it again.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Walk {
    /// How long ago the walk is to begin, for a process whose clock is the machine's.
    pub fn age(self) -> Duration {
        if self == Self::Mended { ASKED_AGAIN_AFTER + Duration::from_secs(1) } else { Duration::ZERO }
    }

    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Created,
        Self::Named,
        Self::WithSettings,
        Self::Rescheduled,
        Self::Cancellation,
        Self::CancelledUnknown,
        Self::CancelledBefore,
        Self::Mended,
        Self::BookedAgain,
        Self::Replaced,
        Self::Throttled,
        Self::Retried,
        Self::HandedBack,
    ];

    /// The part that it belongs to.
    pub fn part(self) -> Part {
        match self {
            Self::Created | Self::Named | Self::WithSettings | Self::BookedAgain => Part::Made,
            Self::Rescheduled | Self::Mended => Part::Changed,
            Self::Cancellation | Self::CancelledUnknown | Self::CancelledBefore | Self::Replaced => {
                Part::Removed
            }
            Self::Throttled | Self::Retried | Self::HandedBack => Part::Resumed,
        }
    }

    /// Whether it takes a fault of Graph to be on this walk. Its calls are those of other walks.
    pub fn has_a_fault(self) -> bool {
        matches!(self, Self::Throttled | Self::HandedBack)
    }

    /// Whether the booking is cancelled in the end.
    pub fn is_cancelled(self) -> bool {
        matches!(self, Self::Cancellation | Self::CancelledUnknown | Self::CancelledBefore)
    }

    /// Steps of a walk that have their cells on other walks: a replica that stops takes none of what follows, and waits a
    /// second each time.
    pub fn has_cells_for(self, statement: Statement) -> bool {
        self != Self::HandedBack || statement == Statement::Release
    }

    /// How many generations the booking has in the end.
    pub fn generations(self) -> usize {
        match self {
            Self::CancelledBefore => 0,
            Self::BookedAgain | Self::Replaced => 2,
            _ => 1,
        }
    }
}

/// One cell of the matrix: a walk with a fault at one of its steps. It has a booking and an organizer of its own.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What is asked for.
    pub walk: Walk,
    /// The cell's name, which is also the booking's.
    pub name: String,
}

impl Cell {
    /// The cell of a fault at a step.
    pub fn of(walk: Walk, step: &str, fault: &str) -> Self {
        Self { walk, name: format!("{walk:?}.{step}.{fault}") }
    }

    fn organizer(&self, which: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{which} organizer of {}", self.name).as_bytes())
    }

    /// All organizers of the booking.
    pub fn organizers(&self) -> [Uuid; 2] {
        [self.organizer("first"), self.organizer("second")]
    }

    fn upn(&self) -> String {
        format!("{}@contoso.com", self.organizer("first").simple())
    }

    fn first(&self) -> Value {
        booking_with(&self.name, json!({"organizer": self.organizer("first")}))
    }

    /// The booking as it is wanted in the end.
    pub fn wanted(&self) -> Value {
        let mut body = self.first();
        match self.walk {
            Walk::Named => body["organizer"] = json!(self.upn()),
            Walk::WithSettings => body["settings"] = json!({"recordAutomatically": true}),
            Walk::Rescheduled => {
                body["startDateTime"] = json!("2026-12-02T09:00:00Z");
                body["endDateTime"] = json!("2026-12-02T09:30:00Z");
            }
            Walk::Replaced => body["organizer"] = json!(self.organizer("second")),
            _ => {}
        }
        body
    }

    /// Goes to where the walk begins.
    pub async fn prepare(&self, app: &TestApp) {
        let organizer = self.organizer("first");
        let book = async || drop(app.book(Who::Desk, &self.first()).await.expect(201));
        match self.walk {
            Walk::Created => app.clock.advance(LONG),
            Walk::WithSettings | Walk::CancelledBefore => {}
            Walk::Named => app.simulator.declare(organizer, OrganizerState::Permitted, Some(&self.upn())),
            Walk::Rescheduled | Walk::Cancellation | Walk::Replaced => book().await,
            Walk::CancelledUnknown => {
                // A process, whose clock is behind, leaves it alone until it is cancelled.
                app.clock.advance(LONG);
                app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
                app.book_and_look(&self.first()).await;
            }
            Walk::Mended => {
                book().await;
                organizer_changes(app, json!({"subject": "Party"})).await;
                app.clock.advance(ASKED_AGAIN_AFTER);
            }
            Walk::BookedAgain => {
                book().await;
                app.delete(&self.name, &[]).await.expect(200);
            }
            Walk::Retried => {
                app.simulator.declare(organizer, OrganizerState::Refused, None);
                app.book(Who::Desk, &self.first()).await.problem(422, "graph-refused");
                app.simulator.permit(organizer);
            }
            Walk::Throttled => {
                let effect = Effect::ThrottledBeforeWork { retry_after: Some("1".to_owned()) };
                app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
            }
            Walk::HandedBack => {
                let effect = Effect::SlowBeforeWork { milliseconds: FOR_EVER };
                app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
            }
        }
    }

    /// The caller's request, to the service that `request` begins requests to. It does not wait for the meeting.
    pub fn ask(&self, request: impl FnOnce(Who, Method, &str) -> RequestBuilder) -> RequestBuilder {
        let path = format!("/v1/bookings/{}", self.name);
        let request = match self.walk {
            Walk::Created | Walk::Named | Walk::Throttled | Walk::HandedBack => {
                request(Who::Desk, Method::POST, "/v1/bookings").json(&self.wanted())
            }
            Walk::WithSettings | Walk::Rescheduled | Walk::BookedAgain => {
                request(Who::Desk, Method::PUT, &path).json(&self.wanted())
            }
            Walk::Replaced => request(Who::Desk, Method::PUT, &format!("{path}?organizerChange=replace"))
                .json(&self.wanted()),
            Walk::Cancellation | Walk::CancelledUnknown => request(Who::Desk, Method::DELETE, &path),
            Walk::CancelledBefore => request(Who::Desk, Method::DELETE, &format!("{path}?sequence=1")),
            Walk::Mended => request(Who::Desk, Method::POST, &format!("{path}/check")),
            Walk::Retried => {
                request(Who::Operator, Method::POST, &format!("{path}/retry?sourceSystem=room-booking"))
            }
        };
        request.header("Prefer", "respond-async, wait=0")
    }

    /// Asks once, in this process, and resumes until nothing is due.
    pub async fn carry_out(&self, app: &TestApp) {
        if self.walk == Walk::HandedBack {
            let stopping = app.another_replica_with(&[("HTTP__SHUTDOWN_SECONDS", "1")]).await;
            self.ask(|who, method, path| stopping.request(who, method, path)).send().await.unwrap();
            self.until_graph_hangs(app).await;
            stopping.end_with_work_left().await;
            app.resume_until_settled(Duration::from_mins(1)).await;
        } else {
            self.ask_again(app).await;
        }
    }

    /// The same once more, as a caller does that has no answer.
    pub async fn ask_again(&self, app: &TestApp) {
        self.ask(|who, method, path| app.request(who, method, path)).send().await.unwrap();
        app.resume_until_settled(Duration::from_mins(1)).await;
    }

    /// Waits for the call on which a replica is to be stopped.
    pub async fn until_graph_hangs(&self, app: &TestApp) {
        let organizer = self.organizer("first").to_string();
        let hangs = app.simulator.wait_for_call(IN_TIME, |call| {
            call.organizer.as_ref() == Some(&organizer) && call.faults.contains(&"slowBeforeWork")
        });
        hangs.await.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }
}
