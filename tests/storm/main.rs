//! The storm: three replicas in processes of their own on one Postgres, a Graph that fails in every way it is known to,
//! clients that lose patience and send again to any replica, replicas killed with SIGKILL every second or so, Postgres
//! restarted twice. When it is over there is one meeting for each booking, as the last accepted request said, and every
//! client has its answer.
//!
//! Bounded by count, with one generous limit on time. What a run is made of follows from its seed; which call meets which
//! fault follows from the machine, too. How to make a longer one stands in `scale.rs`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]
#![expect(clippy::print_stderr, reason = "what a storm was like is for the person who made it")]

mod chance;
mod client;
mod faults;
#[expect(dead_code, reason = "the storm has one kind of caller")]
#[path = "../blackbox/support/keys.rs"]
mod keys;
mod killer;
#[path = "../blackbox/support/postgres/local.rs"]
mod local;
mod plot;
mod replica_process;
mod scale;
#[expect(dead_code, reason = "the storm's replicas read it, not the storm")]
#[path = "../blackbox/support/settings_file.rs"]
mod settings_file;
mod storm_setup;
mod verdict;

use std::sync::Arc;

use meeting_provisioner::local_postgres::StopMode;

use crate::chance::Chance;
use crate::client::Crowd;
use crate::killer::Killer;
use crate::plot::Plot;
use crate::scale::Scale;
use crate::storm_setup::StormSetup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_meeting_per_booking_whatever_breaks() {
    let scale = Scale::from_environment();
    scale.print();
    let storm = storm(&scale);
    let outcome = tokio::time::timeout(scale.limit(), storm).await;
    outcome.unwrap_or_else(|_| panic!("not over after {} s: {scale:?}", scale.limit().as_secs()));
}

async fn storm(scale: &Scale) {
    let began = tokio::time::Instant::now();
    let setup = Arc::new(StormSetup::start(scale).await);
    let plot = Plot::drawn(scale);
    faults::inject(&setup.simulator, plot::STEADFAST);
    let killer = Killer::start(Arc::clone(&setup), Chance::of(scale, "killer"));
    let crowd = Crowd::start(Arc::clone(&setup), &plot, scale);
    let clients = plot.clients.len();

    let over = began + scale.storm_lasts_at_most;
    crowd.until_answered(clients / 3, over).await;
    setup.restart_postgres(StopMode::Immediate).await;
    crowd.until_answered(clients * 2 / 3, over).await;
    setup.restart_postgres(StopMode::Fast).await;
    crowd.until_answered(clients, over).await;

    let answered = crowd.answered();
    setup.simulator.clear_faults();
    let kills = killer.stop().await;
    eprintln!(
        "storm: over after {:.0} s, {answered} of {clients} clients answered, {kills} replicas killed",
        began.elapsed().as_secs_f64()
    );
    setup.make_due_what_waits().await;
    let links = crowd.all_answered().await;
    setup.until_nothing_is_due().await;
    verdict::check(&setup, &plot, &links).await;
    eprintln!("storm: all is well after {:.0} s", began.elapsed().as_secs_f64());
    setup.end().await;
}
