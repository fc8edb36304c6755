//! A rolling restart under load: nothing is lost, nothing is done twice, and no connection is reset.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::json;

use crate::support::kept_connection::{KeptConnection, post};
use crate::support::process::Process;
use crate::support::{TestApp, Who, booking};

const IN_TIME: Duration = Duration::from_mins(1);
/// How long a stopping replica still accepts connections; callers look for ready ones far more often.
const DRAIN: (&str, &str) = ("HTTP__DRAIN_SECONDS", "3");
const SHUTDOWN: (&str, &str) = ("HTTP__SHUTDOWN_SECONDS", "20");
/// A log line for each request would fill the pipe, which the test does not read.
const QUIET: (&str, &str) = ("TELEMETRY__LOG_FILTER", "warn,meeting_provisioner::command=info");
const LOOK: Duration = Duration::from_millis(50);
const CALLERS: usize = 6;

/// A replica as its callers see it.
struct KnownReplica {
    address: String,
    admin_address: String,
    ready: AtomicBool,
}

/// All replicas there have been, and what callers have seen.
#[derive(Default)]
struct Restart {
    replicas: Mutex<Vec<Arc<KnownReplica>>>,
    booked: Mutex<BTreeSet<String>>,
    faults: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Restart {
    fn enter(&self, process: &Process) {
        let (address, admin_address) = (process.address.clone(), process.admin_address.clone());
        let replica = KnownReplica { address, admin_address, ready: AtomicBool::new(true) };
        self.replicas.lock().unwrap().push(Arc::new(replica));
    }

    fn ready(&self) -> Vec<String> {
        let replicas = self.replicas.lock().unwrap();
        let ready = replicas.iter().filter(|replica| replica.ready.load(Ordering::Acquire));
        ready.map(|replica| replica.address.clone()).collect()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// As a load balancer does: a replica that is not ready is not chosen.
    async fn watch(self: Arc<Self>) {
        while !self.is_over() {
            let replicas = self.replicas.lock().unwrap().clone();
            for replica in replicas.iter().filter(|replica| replica.ready.load(Ordering::Acquire)) {
                let answer = reqwest::get(format!("http://{}/readyz", replica.admin_address)).await;
                let ready = answer.is_ok_and(|answer| answer.status() == 200);
                replica.ready.store(ready, Ordering::Release);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Books one after the other over kept connections, each third booking twice. Half of the callers choose among the
    /// ready replicas each time; the others stay with the connections they have, as those behind a Kubernetes Service
    /// do, until they get `Connection: close`.
    async fn call(self: Arc<Self>, caller: usize) {
        let stays = caller % 2 == 1;
        let mut kept: BTreeMap<String, KeptConnection> = BTreeMap::new();
        for turn in 0.. {
            if self.is_over() {
                return;
            }
            let ready = self.ready();
            let mine = kept.keys().nth(turn % kept.len().max(1)).filter(|_| stays && kept.len() == 3);
            let address = mine.unwrap_or(&ready[(turn + caller) % ready.len()]).clone();
            let booking_id = format!("BK-{caller}-{}", turn - usize::from(turn % 3 == 2));
            let exchanged = async {
                let mut connection = match kept.remove(&address) {
                    Some(connection) => connection,
                    None => KeptConnection::to(&address).await?,
                };
                let answer = connection.exchange(&post(&booking(&booking_id))).await?;
                if !answer.closes {
                    kept.insert(address.clone(), connection);
                }
                Ok::<_, std::io::Error>(answer)
            };
            match exchanged.await {
                Ok(answer) if matches!(answer.status, 200..=202) => {
                    self.booked.lock().unwrap().insert(booking_id);
                }
                other => self.faults.lock().unwrap().push(format!("{booking_id} at {address}: {other:?}")),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Three replicas under load are replaced one after another.
#[tokio::test]
async fn a_rolling_restart_under_load_loses_nothing_doubles_nothing_and_resets_no_connection() {
    let app = TestApp::builder().settings(&[DRAIN, SHUTDOWN, QUIET]).at_real_time().start().await;
    app.simulator.inject(
        InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 50 }).always(),
    );
    let restart = Arc::new(Restart::default());
    let mut old = Vec::new();
    for _ in 0..3 {
        old.push(Process::serve(app.environment()).await);
    }
    for process in &old {
        restart.enter(process);
    }
    let mut calling: Vec<_> =
        (0..CALLERS).map(|caller| tokio::spawn(Arc::clone(&restart).call(caller))).collect();
    calling.push(tokio::spawn(Arc::clone(&restart).watch()));
    let mut new = Vec::new();
    for process in old {
        let next = Process::serve(app.environment()).await;
        restart.enter(&next);
        new.push(next);
        let before = restart.booked.lock().unwrap().len();
        process.terminate();
        let (status, said) = process.ended(IN_TIME).await;
        assert!(status.success(), "{said:?}");
        assert!(!said.iter().any(|line| line["message"] == "attempts handed back to other replicas"));
        assert!(restart.booked.lock().unwrap().len() > before, "callers were at work meanwhile");
    }
    restart.over.store(true, Ordering::Release);
    for one in calling {
        one.await.unwrap();
    }
    assert_eq!(*restart.faults.lock().unwrap(), [""; 0]);
    let booked = restart.booked.lock().unwrap().len();
    let (rows, settled, meetings, events): (i64, i64, i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where status = 'provisioned'), count(distinct meeting_id),
            (select count(*) from audit_event) from booking",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    let booked = i64::try_from(booked).unwrap();
    // Accepted and created, once each: no call was made twice, and none has an unknown outcome.
    assert_eq!((rows, settled, meetings, events), (booked, booked, booked, 2 * booked));
    assert_eq!(i64::try_from(app.simulator.meetings().len()).unwrap(), booked);
    for process in new {
        process.kill().await;
    }
    app.end().await;
}

/// Told to stop, a replica drains: it answers requests on kept and on new connections with `Connection: close`; an idle
/// connection is closed in order.
#[tokio::test]
async fn a_stopping_replica_drains_its_connections() {
    let app = TestApp::builder().settings(&[DRAIN, SHUTDOWN]).at_real_time().start().await;
    let process = Process::serve(app.environment()).await;
    let address = process.address.clone();
    let (mut used, mut idle) =
        (KeptConnection::to(&address).await.unwrap(), KeptConnection::to(&address).await.unwrap());
    let request = post(&booking("BK-1"));
    for connection in [&mut used, &mut idle] {
        let answer = connection.exchange(&request).await.unwrap();
        assert!(matches!(answer.status, 200 | 201) && !answer.closes, "{answer:?}");
    }
    process.terminate();
    while process.probe("/readyz").await == Some(200) {}
    let mut later = KeptConnection::to(&address).await.unwrap();
    for connection in [&mut used, &mut later] {
        let answer = connection.exchange(&request).await.unwrap();
        assert!(answer.status == 200 && answer.closes, "{answer:?}");
        connection.closed().await.unwrap();
    }
    let (status, _) = process.ended(IN_TIME).await;
    assert!(status.success());
    idle.closed().await.unwrap();
    app.end().await;
}

/// A request that still waits when the time to stop is over is answered with the booking's status, and its lease is
/// handed back.
#[tokio::test]
async fn a_request_that_waits_when_its_replica_stops_is_answered() {
    let app = TestApp::builder().setting("HTTP__SHUTDOWN_SECONDS", "8").at_real_time().start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 20_000 }));
    let process = Process::serve(app.environment()).await;
    let mut connections = Vec::new();
    for _ in 0..3 {
        let mut connection = KeptConnection::to(&process.address).await.unwrap();
        connection.send(&post(&booking("BK-1"))).await.unwrap();
        connections.push(connection);
    }
    app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet).await.unwrap();
    process.terminate();
    for mut connection in connections {
        let answer = connection.answer().await.unwrap();
        assert!(answer.status == 202 && answer.closes, "{answer:?}");
        let status = serde_json::from_str::<serde_json::Value>(&answer.text).unwrap()["status"].clone();
        assert_eq!(status, json!("pending"));
    }
    assert!(process.ended(IN_TIME).await.0.success());
    assert_eq!(app.resume_after(Duration::from_secs(15)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.end().await;
}

/// A newer replica, or one that was taken back, has written rows that this one can't read: lists, metrics and the worker go
/// on without them and tell which they are.
#[tokio::test]
async fn a_row_of_a_newer_version_hides_no_other() {
    let app = TestApp::start().await;
    for number in 1..=3 {
        app.book(Who::Desk, &booking(&format!("BK-{number}"))).await.expect(201);
    }
    let newer =
        r#"update booking set last_error = '{"code": "of-a-newer-version"}' where booking_id = 'BK-2'"#;
    sqlx::query(newer).execute(&app.pool).await.unwrap();
    let newer = "insert into audit_event (occurred_at, event_type, source_system, booking_id, generation, number,
            external_id, actor, payload)
        select occurred_at, 'booking.blessed', 'A Newer System', booking_id, generation, number, external_id, actor, payload
        from audit_event where booking_id = 'BK-2' and number = 1";
    sqlx::query(newer).execute(&app.pool).await.unwrap();
    let (mut cursor, mut found, mut unreadable) = (String::new(), Vec::new(), Vec::new());
    loop {
        let page = app.get(Who::Desk, &format!("/v1/bookings?limit=1{cursor}")).await.expect(200).json();
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["bookingId"].clone()));
        unreadable.extend(page["unreadable"].as_array().into_iter().flatten().cloned());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, ["BK-3", "BK-1"]);
    assert_eq!(unreadable, [json!({"sourceSystem": "room-booking", "bookingId": "BK-2", "generation": 1})]);
    let events = app.get(Who::Auditor, "/v1/audit-events?bookingId=BK-2").await.expect(200).json();
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "{events}");
    assert_eq!(events["unreadable"][0]["sourceSystem"], "A Newer System", "{events}");
    assert!(events["unreadable"][0]["eventId"].is_string(), "{events}");
    assert!((app.metric("meeting_provisioner_rows_unreadable_total").await - 2.0).abs() < f64::EPSILON);
    app.end().await;
}
