use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::meeting::Evidence;

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

fn gate(calls_max: u32) -> (Arc<Gate>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    (Gate::new(calls_max, clock.clone()), clock)
}

fn class(organizer: u128) -> CallClass {
    CallClass { organizer: Some(organizer_id(organizer)), source_system: SourceSystem::parse("crm").unwrap() }
}

fn organizer_id(organizer: u128) -> UserId {
    UserId::new(Uuid::from_u128(organizer))
}

fn reply(outcome: Outcome) -> Reply {
    Reply { outcome, evidence: Evidence::begun(NOW) }
}

async fn reason(gate: &Arc<Gate>, organizer: u128) -> Option<RejectionReason> {
    gate.acquire(&class(organizer)).await.err().map(|rejected| rejected.reason)
}

/// Those of a paused scope are told until when, others pass; a shorter pause changes nothing, a later one does.
#[tokio::test]
async fn a_pause_is_for_its_scope_and_its_time() {
    let (gate, clock) = gate(8);
    let until = NOW + Duration::from_millis(2_128);
    let paused = PauseScope::Organizer(organizer_id(1));
    assert!(gate.pause(Pause { scope: paused, until }));
    assert!(!gate.pause(Pause { scope: paused, until: NOW + Duration::from_secs(1) }));
    let rejected = gate.acquire(&class(1)).await.unwrap_err();
    assert_eq!(rejected, Rejected { retry_at: until, reason: RejectionReason::OrganizerPaused });
    assert_eq!((reason(&gate, 2).await, gate.blocked_until(), gate.measures().1), (None, None, 1));
    clock.advance(Duration::from_millis(2_128));
    assert_eq!((reason(&gate, 1).await, gate.measures().1), (None, 0));
    let until = clock.now() + Duration::from_secs(1);
    assert!(gate.pause(Pause { scope: PauseScope::Application, until }));
    assert_eq!(reason(&gate, 2).await, Some(RejectionReason::ApplicationPaused));
    assert_eq!(gate.blocked_until(), Some(until));
}

/// A call that finds the gate busy is queued until a permit comes back; a pause rejects the queued calls at once.
#[tokio::test]
async fn the_queue_moves_when_a_permit_comes_back() {
    let (gate, _) = gate(1);
    let first = gate.acquire(&class(1)).await.unwrap();
    let second = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.acquire(&class(2)).await }
    });
    let third = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.acquire(&class(3)).await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(!first.complete(&reply(Outcome::Gone), None));
    let second = second.await.unwrap().unwrap();
    let until = NOW + Duration::from_secs(9);
    gate.pause(Pause { scope: PauseScope::Organizer(organizer_id(3)), until });
    assert_eq!(
        third.await.unwrap(),
        Err(Rejected { retry_at: until, reason: RejectionReason::OrganizerPaused })
    );
    drop(second);
    assert_eq!(reason(&gate, 4).await, None);
}

/// A wait in the queue has an end, and a call that left it takes no place any more.
#[tokio::test]
async fn no_call_is_queued_for_ever() {
    let (mut gate, _) = gate(1);
    Arc::get_mut(&mut gate).unwrap().queue_wait_max = Duration::from_millis(10);
    let first = gate.acquire(&class(1)).await.unwrap();
    assert_eq!(reason(&gate, 2).await, Some(RejectionReason::Busy));
    drop(first);
    assert_eq!(reason(&gate, 3).await, None);
}

/// Calls that get no answer open the circuit; one probe closes it again.
#[tokio::test]
async fn an_outage_shuts_the_gate_until_a_probe_is_answered() {
    let (gate, clock) = gate(64);
    let mut is_away = false;
    for n in 0..10 {
        let permit = gate.acquire(&class(n)).await.unwrap();
        is_away = permit.complete(&reply(Outcome::Unknown), None);
    }
    assert!(is_away);
    assert_eq!(reason(&gate, 1).await, Some(RejectionReason::CircuitOpen));
    clock.advance(gate.blocked_until().map(|until| (until - NOW).unsigned_abs()).unwrap());
    let probe = gate.acquire(&class(1)).await.unwrap();
    assert_eq!(reason(&gate, 2).await, Some(RejectionReason::CircuitOpen), "the probe is on its way");
    assert!(!probe.complete(&reply(Outcome::Gone), None));
    assert_eq!(reason(&gate, 2).await, None);
    assert_eq!(gate.measures().0, 32, "and it is asked less at once");
}

/// A throttling of one organizer says nothing about how much Graph takes of all the others.
#[tokio::test]
async fn a_throttled_organizer_does_not_narrow_the_gate() {
    let (gate, _) = gate(64);
    let pause = |scope| Some(Pause { scope, until: NOW });
    let throttled = reply(Outcome::Throttled { retry_after: None });
    let permit = gate.acquire(&class(1)).await.unwrap();
    permit.complete(&throttled, pause(PauseScope::Organizer(organizer_id(1))));
    assert_eq!(gate.measures().0, 64);
    let permit = gate.acquire(&class(1)).await.unwrap();
    permit.complete(&throttled, pause(PauseScope::Application));
    assert_eq!(gate.measures().0, 32);
}
