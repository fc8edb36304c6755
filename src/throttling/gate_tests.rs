use proptest::prelude::*;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::meeting::{Evidence, Refusal};

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

fn gate(calls_max: u32) -> (Arc<Gate>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    (Gate::new(calls_max, Share::of_percent(80), clock.clone()), clock)
}

fn class(organizer: u128) -> CallClass {
    class_of("crm", organizer)
}

fn class_of(source_system: &str, organizer: u128) -> CallClass {
    CallClass {
        organizer: Some(organizer_id(organizer)),
        name: None,
        source_system: SourceSystem::parse(source_system).unwrap(),
        failed_before: false,
    }
}

fn organizer_id(organizer: u128) -> UserId {
    UserId::new(Uuid::from_u128(organizer))
}

fn reply(outcome: Outcome, status: Option<u16>) -> Reply {
    Reply { outcome, evidence: Evidence { status, ..Evidence::begun(NOW) } }
}

fn graph(connection: u64) -> HeardFrom {
    HeardFrom::Graph { connection }
}

fn fail(permit: Permit) -> Completed {
    permit.complete(&reply(Outcome::Unavailable { retry_after: None }, Some(500)), graph(1), None)
}

fn go_well(permit: Permit) -> Completed {
    permit.complete(&reply(Outcome::Gone, Some(204)), graph(1), None)
}

async fn reason(gate: &Arc<Gate>, class: &CallClass) -> Option<RejectionReason> {
    gate.acquire(class).await.err().map(|rejected| rejected.reason)
}

/// Opens the circuit of `crm` by failures of ten organizers.
async fn open_circuit(gate: &Arc<Gate>) {
    for n in 0..10 {
        let completed = fail(gate.acquire(&class(n)).await.unwrap());
        assert_eq!(completed.is_away, n == 9);
    }
}

/// Those of a paused scope are told until when, others pass; a shorter pause changes nothing, a later one does.
#[tokio::test]
async fn a_pause_is_for_its_scope_and_its_time() {
    let (gate, clock) = gate(8);
    let until = NOW + Duration::from_millis(2_128);
    let paused = PauseScope::Organizer(organizer_id(1));
    assert!(gate.pause(&Pause { scope: paused.clone(), until }));
    assert!(!gate.pause(&Pause { scope: paused, until: NOW + Duration::from_secs(1) }));
    let rejected = gate.acquire(&class(1)).await.unwrap_err();
    assert_eq!(rejected, Rejected { retry_at: until, reason: RejectionReason::OrganizerPaused });
    assert_eq!((reason(&gate, &class(2)).await, gate.blocked_until(), gate.measures().1), (None, None, 1));
    clock.advance(Duration::from_millis(2_128));
    assert_eq!((reason(&gate, &class(1)).await, gate.measures().1), (None, 0));
    let until = clock.now() + Duration::from_secs(1);
    assert!(gate.pause(&Pause { scope: PauseScope::Application, until }));
    assert_eq!(reason(&gate, &class(2)).await, Some(RejectionReason::ApplicationPaused));
    assert_eq!(gate.blocked_until(), Some(until));
}

/// Whom each scope makes wait: a look-up of `crm`, a call of `crm`, a call of `rooms`.
#[tokio::test]
async fn each_scope_is_about_its_own_calls() {
    use RejectionReason::{ApplicationPaused, LookUpsPaused, NoToken, OrganizerPaused, SourceSystemPaused};
    let look_up = CallClass { organizer: None, name: Some(Upn::parse("a@contoso.com").unwrap()), ..class(0) };
    let crm = SourceSystem::parse("crm").unwrap();
    for (scope, expected) in [
        (PauseScope::Application, [Some(ApplicationPaused); 3]),
        (PauseScope::Replica, [Some(NoToken); 3]),
        (PauseScope::LookUps, [Some(LookUpsPaused), None, None]),
        (PauseScope::SourceSystem(crm), [Some(SourceSystemPaused), Some(SourceSystemPaused), None]),
        (PauseScope::Organizer(organizer_id(1)), [None, Some(OrganizerPaused), Some(OrganizerPaused)]),
    ] {
        let (gate, _) = gate(8);
        gate.pause(&Pause { scope: scope.clone(), until: NOW + Duration::from_mins(10) });
        for (class, expected) in [&look_up, &class(1), &class_of("rooms", 1)].into_iter().zip(expected) {
            let rejected = gate.acquire(class).await.err();
            assert_eq!(rejected.map(|rejected| rejected.reason), expected, "{scope} {class:?}");
            if expected == Some(NoToken) {
                assert_eq!(
                    rejected.map(|rejected| rejected.retry_at),
                    Some(NOW + BUSY),
                    "for other replicas"
                );
            }
        }
    }
}

/// A call that finds the gate busy is queued until a permit comes back; a pause rejects the queued calls at once.
#[tokio::test]
async fn the_queue_moves_when_a_permit_comes_back() {
    let (gate, _) = gate(1);
    let first = gate.acquire(&class(1)).await.unwrap();
    let waits = |organizer| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.acquire(&class(organizer)).await })
    };
    let (second, third) = (waits(2), waits(3));
    tokio::task::yield_now().await;
    assert_eq!(go_well(first), Completed::default());
    let second = second.await.unwrap().unwrap();
    let until = NOW + Duration::from_secs(9);
    gate.pause(&Pause { scope: PauseScope::Organizer(organizer_id(3)), until });
    let rejected = third.await.unwrap().unwrap_err();
    assert_eq!(rejected, Rejected { retry_at: until, reason: RejectionReason::OrganizerPaused });
    drop(second);
    assert_eq!(reason(&gate, &class(4)).await, None);
}

/// A wait in the queue has an end, and a call that left it takes no place any more.
#[tokio::test]
async fn no_call_is_queued_for_ever() {
    for (calls_max, held, expected) in [(1, 1, RejectionReason::Busy), (5, 4, RejectionReason::ShareUsedUp)] {
        let (mut gate, _) = gate(calls_max);
        Arc::get_mut(&mut gate).unwrap().queue_wait_max = Duration::from_millis(10);
        let mut permits = Vec::new();
        for organizer in 0..held {
            permits.push(gate.acquire(&class(organizer)).await.unwrap());
        }
        assert_eq!(reason(&gate, &class(20)).await, Some(expected));
        drop(permits);
        assert_eq!(reason(&gate, &class(30)).await, None);
    }
}

/// Failures of several organizers open the circuit; one probe closes it again.
#[tokio::test]
async fn an_outage_shuts_the_gate_until_a_probe_is_answered() {
    let (gate, clock) = gate(64);
    open_circuit(&gate).await;
    assert_eq!(reason(&gate, &class(1)).await, Some(RejectionReason::CircuitOpen));
    let until = gate.blocked_source_systems()[0].1;
    clock.advance((until - NOW).unsigned_abs());
    let failed = CallClass { failed_before: true, ..class(1) };
    assert_eq!(reason(&gate, &failed).await, Some(RejectionReason::CircuitOpen), "a bad probe");
    let probe = gate.acquire(&class(1)).await.unwrap();
    assert_eq!(reason(&gate, &class(2)).await, Some(RejectionReason::CircuitOpen), "the probe is on its way");
    assert_eq!(go_well(probe), Completed::default());
    assert_eq!(reason(&gate, &failed).await, None);
    assert_eq!(gate.measures().0, 32, "and it is asked less at once");
}

/// Those in line do not pass beside the probe, and no one gets in line while it is on its way.
#[tokio::test]
async fn none_in_line_passes_beside_the_probe() {
    let (gate, clock) = gate(2);
    let mut held = gate.acquire(&class(1)).await.unwrap();
    let waits = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.acquire(&class(2)).await }
    });
    tokio::task::yield_now().await;
    // The circuit opens while one waits: by the ends of calls that were under way before.
    for n in 0..10 {
        held.class = class(n);
        let _ = gate.state().circuits.failed(&class(n), Sign::Failed, false, NOW);
    }
    clock.advance(Duration::from_secs(1));
    held.class = class(1);
    drop(held);
    let probe = waits.await.unwrap().unwrap();
    assert!(probe.is_probe, "it left the line and came back as the probe");
    assert_eq!(reason(&gate, &class(3)).await, Some(RejectionReason::CircuitOpen));
}

/// What was refused before it was sent, and what a token endpoint said, is evidence neither for nor against Graph.
#[tokio::test]
async fn what_graph_was_not_asked_says_nothing_of_it() {
    let (gate, clock) = gate(64);
    let refused = reply(Outcome::Refused(Refusal::Request), None);
    for n in 0..10 {
        fail(gate.acquire(&class(n)).await.unwrap());
        if let Ok(permit) = gate.acquire(&class(n)).await {
            permit.complete(&refused, HeardFrom::NotAsked, None);
        }
    }
    assert_eq!(reason(&gate, &class(1)).await, Some(RejectionReason::CircuitOpen));
    clock.advance(Duration::from_secs(1));
    let no_token = reply(Outcome::Unavailable { retry_after: None }, Some(503));
    for (said, heard_from) in [(&refused, HeardFrom::NotAsked), (&no_token, HeardFrom::TokenEndpoint)] {
        let probe = gate.acquire(&class(1)).await.unwrap();
        assert!(probe.is_probe);
        assert_eq!(probe.complete(said, heard_from, None), Completed::default());
    }
    for _ in 0..20 {
        let permit = gate.acquire(&class_of("rooms", 1)).await.unwrap();
        permit.complete(&no_token, HeardFrom::TokenEndpoint, None);
    }
    assert_eq!(reason(&gate, &class_of("rooms", 2)).await, None);
}

/// A throttling of one organizer says nothing about how much Graph takes of all the others.
#[tokio::test]
async fn a_throttled_organizer_does_not_narrow_the_gate() {
    let (gate, _) = gate(64);
    let pause = |scope| Some(Pause { scope, until: NOW });
    let throttled = reply(Outcome::Throttled { retry_after: None }, Some(429));
    for (scope, limit) in [(PauseScope::Organizer(organizer_id(1)), 64), (PauseScope::Application, 32)] {
        let permit = gate.acquire(&class(1)).await.unwrap();
        permit.complete(&throttled, graph(1), pause(scope));
        assert_eq!(gate.measures().0, limit);
    }
}

/// What Graph does to calls of a source system that always fail.
#[derive(Debug, Clone, Copy)]
enum Poison {
    Error,
    Unavailable,
    Silence,
    Hang,
    Throttled,
    Refused,
}

impl Poison {
    fn reply(self) -> Reply {
        let second = Some(Duration::from_mins(10));
        match self {
            Self::Error => reply(Outcome::Unavailable { retry_after: None }, Some(500)),
            Self::Unavailable => reply(Outcome::Unavailable { retry_after: second }, Some(503)),
            Self::Silence | Self::Hang => reply(Outcome::Unknown, None),
            Self::Throttled => reply(Outcome::Throttled { retry_after: second }, Some(429)),
            Self::Refused => reply(Outcome::Refused(Refusal::Forbidden), Some(403)),
        }
    }
}

proptest! {
    /// Whatever happens to the calls of one source system, for however many organizers, those of another one get their
    /// permits at once.
    #[test]
    fn a_poisoned_source_system_delays_no_other(
        poison in prop::collection::vec(
            (
                prop::sample::select(vec![
                    Poison::Error, Poison::Unavailable, Poison::Silence, Poison::Hang, Poison::Throttled,
                    Poison::Refused,
                ]),
                0_u128..12,
                any::<bool>(),
                0_u64..3_000,
            ),
            0..200,
        ),
        calls_max in 2_u32..65,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (gate, clock) = gate(calls_max);
            let mut hang = Vec::new();
            for (n, (poison, organizer, failed_before, milliseconds)) in poison.into_iter().enumerate() {
                let class = CallClass { failed_before, ..class(organizer) };
                if let Ok(permit) = gate.acquire_or_queue(&class) {
                    let (permit, reply) = (permit.begun(), poison.reply());
                    let wait = Duration::from_mins(10);
                    let asked = matches!(poison, Poison::Throttled).then(|| Pause {
                        scope: PauseScope::Organizer(organizer_id(organizer)),
                        until: clock.now() + wait,
                    });
                    if matches!(poison, Poison::Hang) {
                        hang.push(permit);
                    } else {
                        permit.complete(&reply, graph(u64::try_from(n).unwrap()), asked);
                    }
                }
                clock.advance(Duration::from_millis(milliseconds));
                let other = gate.acquire_or_queue(&class_of("rooms", 99));
                prop_assert!(other.is_ok(), "{poison:?}");
                go_well(other.ok().unwrap().begun());
            }
            Ok(())
        })?;
    }
}
