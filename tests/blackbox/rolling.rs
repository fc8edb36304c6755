//! Replicas are replaced while callers are at work: nothing is lost, nothing doubled, and no connection is reset.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::json;

use crate::support::kept_connection::{KeptConnection, post};
use crate::support::process::Process;
use crate::support::{TestApp, booking};

const IN_TIME: Duration = Duration::from_mins(1);
/// How long a stopping replica keeps its door open; callers look for ready ones far more often.
const DRAIN: (&str, &str) = ("HTTP__DRAIN_SECONDS", "3");
const SHUTDOWN: (&str, &str) = ("HTTP__SHUTDOWN_SECONDS", "20");
/// A request's line for each would fill the pipe, which nobody empties here.
const QUIET: (&str, &str) = ("TELEMETRY__LOG_FILTER", "warn,meeting_provisioner::command=info");
const LOOK: Duration = Duration::from_millis(50);
const CALLERS: usize = 6;

/// A replica as its callers see it.
struct Seen {
    address: String,
    admin_address: String,
    ready: AtomicBool,
}

/// All replicas there have been, and what callers have met with.
#[derive(Default)]
struct Field {
    replicas: Mutex<Vec<Arc<Seen>>>,
    booked: Mutex<BTreeSet<String>>,
    faults: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Field {
    fn enter(&self, process: &Process) {
        let (address, admin_address) = (process.address.clone(), process.admin_address.clone());
        let seen = Seen { address, admin_address, ready: AtomicBool::new(true) };
        self.replicas.lock().unwrap().push(Arc::new(seen));
    }

    fn ready(&self) -> Vec<String> {
        let replicas = self.replicas.lock().unwrap();
        let ready = replicas.iter().filter(|seen| seen.ready.load(Ordering::Acquire));
        ready.map(|seen| seen.address.clone()).collect()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// As a load balancer does: who is not ready is not chosen.
    async fn watch(self: Arc<Self>) {
        while !self.is_over() {
            let replicas = self.replicas.lock().unwrap().clone();
            for seen in replicas.iter().filter(|seen| seen.ready.load(Ordering::Acquire)) {
                let answer = reqwest::get(format!("http://{}/readyz", seen.admin_address)).await;
                let ready = answer.is_ok_and(|answer| answer.status() == 200);
                seen.ready.store(ready, Ordering::Release);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Books one after the other over kept connections, each third booking twice. Half of the callers choose among the
    /// ready replicas each time; the others stay with the connections they have, as those behind a Kubernetes Service
    /// do, until they are told to leave.
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
                let told = connection.exchange(&post(&booking(&booking_id))).await?;
                if !told.closes {
                    kept.insert(address.clone(), connection);
                }
                Ok::<_, std::io::Error>(told)
            };
            match exchanged.await {
                Ok(told) if matches!(told.status, 200..=202) => {
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
    let app = TestApp::start_with_now(&[DRAIN, SHUTDOWN, QUIET]).await;
    app.simulator.inject(
        InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 50 }).always(),
    );
    let field = Arc::new(Field::default());
    let mut old = Vec::new();
    for _ in 0..3 {
        old.push(Process::serve(app.environment()).await);
    }
    for process in &old {
        field.enter(process);
    }
    let mut calling: Vec<_> =
        (0..CALLERS).map(|caller| tokio::spawn(Arc::clone(&field).call(caller))).collect();
    calling.push(tokio::spawn(Arc::clone(&field).watch()));
    let mut new = Vec::new();
    for process in old {
        let next = Process::serve(app.environment()).await;
        field.enter(&next);
        new.push(next);
        let before = field.booked.lock().unwrap().len();
        process.terminate();
        let (status, said) = process.ended(IN_TIME).await;
        assert!(status.success(), "{said:?}");
        assert!(!said.iter().any(|line| line["message"] == "attempts handed back to other replicas"));
        assert!(field.booked.lock().unwrap().len() > before, "callers were at work meanwhile");
    }
    field.over.store(true, Ordering::Release);
    for one in calling {
        one.await.unwrap();
    }
    assert_eq!(*field.faults.lock().unwrap(), [""; 0]);
    let booked = field.booked.lock().unwrap().len();
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

/// Told to stop, a replica answers whoever comes over a connection that was kept, or over another one, and tells them to
/// leave; who does not come sees the connection closed in order.
#[tokio::test]
async fn a_stopping_replica_answers_who_comes_and_tells_them_to_leave() {
    let app = TestApp::start_with_now(&[DRAIN, SHUTDOWN]).await;
    let process = Process::serve(app.environment()).await;
    let address = process.address.clone();
    let (mut used, mut idle) =
        (KeptConnection::to(&address).await.unwrap(), KeptConnection::to(&address).await.unwrap());
    let request = post(&booking("BK-1"));
    for connection in [&mut used, &mut idle] {
        let told = connection.exchange(&request).await.unwrap();
        assert!(matches!(told.status, 200 | 201) && !told.closes, "{told:?}");
    }
    process.terminate();
    while process.probe("/readyz").await == Some(200) {}
    let mut later = KeptConnection::to(&address).await.unwrap();
    for connection in [&mut used, &mut later] {
        let told = connection.exchange(&request).await.unwrap();
        assert!(told.status == 200 && told.closes, "{told:?}");
        connection.closed().await.unwrap();
    }
    let (status, _) = process.ended(IN_TIME).await;
    assert!(status.success());
    idle.closed().await.unwrap();
    app.end().await;
}

/// Who still waits for a meeting when the time to stop is over is told how the booking stands, and its attempt is handed
/// back.
#[tokio::test]
async fn who_waits_when_a_replica_ends_is_answered() {
    let app = TestApp::start_with_now(&[("HTTP__SHUTDOWN_SECONDS", "4")]).await;
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
        let told = connection.answer().await.unwrap();
        assert!(told.status == 202 && told.closes, "{told:?}");
        let status = serde_json::from_str::<serde_json::Value>(&told.text).unwrap()["status"].clone();
        assert_eq!(status, json!("pending"));
    }
    assert!(process.ended(IN_TIME).await.0.success());
    assert_eq!(app.resume_after(Duration::from_secs(15)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.end().await;
}
