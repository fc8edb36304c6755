//! A booking with all its generations, those who work on it, and what must always hold.

use std::time::Duration;

use time::macros::datetime;
use uuid::Uuid;

use super::model_graph::{Graph, HeldMeeting, seen, user};
use super::{Content, Event, Trouble, Weather};
use crate::booking::{
    BookingId, BookingKey, BookingSpec, ExternalId, Generation, MessageOrder, Sequence, SourceSystem,
};
use crate::clock::Timestamp;
use crate::meeting::{
    Answered, Booking, Call, Cancellation, Declared, DesiredState, DriftPolicy, Evidence, Moment, NameLookup,
    NameLookups, OrganizerChange, Outcome, Progress, Reply, Retried, RetryPolicy, Rules, next_call,
};

/// Once faults have stopped: find the organizer, find the meeting, change it, and remove it after its lobby.
const ATTEMPTS_TO_REST: u32 = 4;

/// A call that was made and is not settled yet.
#[derive(Debug)]
pub(super) struct Open {
    call: Call,
    asked_by: u32,
    outcome: Outcome,
}

/// What was last accepted of a caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct AcceptedContent {
    pub(super) content: Content,
    pub(super) desired_state: DesiredState,
}

/// A booking with all its generations, and Graph.
pub(super) struct World {
    now: Timestamp,
    graph: Graph,
    pub(super) generations: Vec<(Booking, Option<Open>)>,
    pub(super) accepted: Option<AcceptedContent>,
    policy: DriftPolicy,
}

impl World {
    pub(super) fn new(policy: DriftPolicy) -> Self {
        Self {
            now: datetime!(2026-11-23 08:00 UTC),
            graph: Graph::default(),
            generations: Vec::new(),
            accepted: None,
            policy,
        }
    }

    pub(super) fn happens(&mut self, event: Event) {
        match event {
            Event::Declared(content, sequence) => self.declare(content, sequence),
            Event::Cancelled(sequence) => self.cancel(sequence),
            Event::Called(weather) => self.each(|world, place| world.call(place, weather)),
            Event::Settled => self.each(Self::settle),
            Event::Died => self.each(Self::die),
            Event::Retried => self.each(Self::retry),
            Event::CheckRequested => self.each(Self::begin_check),
            Event::ClockJumped { minutes } => self.now += Duration::from_mins(minutes.into()),
        }
    }

    fn each(&mut self, act: impl Fn(&mut Self, usize)) {
        (0..self.generations.len()).for_each(|place| act(self, place));
    }

    fn declare(&mut self, content: Content, sequence: Option<u32>) {
        let mut spec = content.spec(sequence);
        let Some((latest, open)) = self.generations.last_mut() else {
            self.accepted = Some(AcceptedContent { content, desired_state: DesiredState::Present });
            return self.begin(spec);
        };
        let mut lookups = NameLookups::none();
        let declared = loop {
            let (refused, under_way) = (OrganizerChange::Refused, open.is_some());
            match latest.declared(
                spec.clone(),
                refused,
                &Moment { lookups: &lookups, under_way, now: self.now },
            ) {
                Declared::OrganizerUnresolved(name) => {
                    let user = Some(user(name.as_str()));
                    lookups.add(NameLookup { name, user, evidence: Evidence::begun(self.now) });
                }
                declared => break declared,
            }
        };
        match declared {
            Declared::Changed(changed, _) => *latest = changed.booking,
            Declared::BookedAgain => {
                spec = spec.clone().with_order(latest.wanted.spec.order().renewed_by(spec.order()));
                self.begin(spec);
            }
            Declared::Same => {}
            Declared::Stale(_) | Declared::OrganizerFixed(_) => return,
            other => panic!("no one asked for {other:?}"),
        }
        self.accepted = Some(AcceptedContent { content, desired_state: DesiredState::Present });
    }

    fn begin(&mut self, spec: BookingSpec) {
        let mut generation = Generation::FIRST;
        self.generations.iter().for_each(|_| generation = generation.next());
        let external_id = ExternalId::new(Uuid::from_u128(generation.number().into()));
        let key = BookingKey {
            source_system: SourceSystem::parse("crm").unwrap(),
            booking_id: BookingId::parse("BK-1").unwrap(),
        };
        let booking = Booking::accepted(key, generation, external_id, spec, self.now).booking;
        self.generations.push((booking, None));
    }

    fn cancel(&mut self, sequence: Option<u32>) {
        let Some((latest, open)) = self.generations.last_mut() else { return };
        let sequence = sequence.map(|number| Sequence::new(number).unwrap());
        let order = MessageOrder { sequence, dtstamp: None };
        if let Cancellation::Now(cancelled) | Cancellation::Renewed(cancelled, _) =
            latest.cancelled_now(order, open.is_some(), self.now)
        {
            *latest = cancelled.booking;
            self.accepted.iter_mut().for_each(|accepted| accepted.desired_state = DesiredState::Cancelled);
        }
    }

    /// As `provisioning` does: only what is due and not under way; where there is nothing to ask, that is settled.
    fn call(&mut self, place: usize, weather: Weather) {
        let (booking, open) = &mut self.generations[place];
        if open.is_some() || booking.due_at().is_none_or(|at| at > self.now) {
            return;
        }
        let Some(call) = next_call(&booking.wanted, &booking.observed) else {
            *booking = booking.with_nothing_to_ask(self.now).booking;
            return;
        };
        let external_id = booking.wanted.external_id;
        let outcome = match weather {
            Weather::Fine => self.graph.carry_out(&call, external_id),
            Weather::Refused(refusal) => Outcome::Refused(refusal),
            Weather::Bad(trouble, is_carried_out) => {
                if is_carried_out {
                    self.graph.carry_out(&call, external_id);
                }
                match trouble {
                    Trouble::Unknown => Outcome::Unknown,
                    Trouble::Throttled => Outcome::Throttled { retry_after: None },
                    Trouble::Unavailable => {
                        Outcome::Unavailable { retry_after: Some(Duration::from_secs(9)) }
                    }
                }
            }
        };
        *open = Some(Open { call, asked_by: booking.wanted.revision, outcome });
    }

    fn settle(&mut self, place: usize) {
        let (booking, open) = &mut self.generations[place];
        let Some(open) = open.take() else { return };
        let reply = Reply { outcome: open.outcome, evidence: Evidence::begun(self.now) };
        let answered = Answered { call: open.call, asked_by: open.asked_by, reply };
        let rules =
            Rules { retry: &RetryPolicy::default(), drift: self.policy, now: self.now, fraction: 0.5 };
        *booking = booking.answered(&answered, &rules).booking;
    }

    /// As the claim does in the store, when it finds an attempt whose lease has run out.
    fn die(&mut self, place: usize) {
        let (booking, open) = &mut self.generations[place];
        if open.take().is_none() {
            return;
        }
        *booking = booking.abandoned(self.now);
    }

    fn retry(&mut self, place: usize) {
        let (booking, open) = &mut self.generations[place];
        if let Retried::Now(retried) = booking.retried(open.is_some(), self.now) {
            *booking = retried.booking;
        }
    }

    fn begin_check(&mut self, place: usize) {
        let (booking, _) = &mut self.generations[place];
        if let Some(checked) = booking.check_requested(self.now) {
            *booking = checked;
        }
    }

    /// Faults have stopped, what is parked is tried again, and time passes: how many attempts that takes, at most.
    pub(super) fn comes_to_rest(&mut self) -> u32 {
        let mut longest = 0;
        for place in 0..self.generations.len() {
            self.die(place);
            if self.generations[place].0.progress == Progress::Parked {
                self.retry(place);
            }
            let mut attempts = 0;
            while let Some(at) = self.generations[place].0.due_at() {
                self.now = self.now.max(at);
                self.call(place, Weather::Fine);
                self.settle(place);
                attempts += 1;
                assert!(
                    attempts <= ATTEMPTS_TO_REST,
                    "it does not come to rest: {:?}",
                    self.generations[place]
                );
            }
            longest = longest.max(attempts);
        }
        longest
    }

    pub(super) fn live(&self, booking: &Booking) -> Vec<&HeldMeeting> {
        let meetings = self.graph.meetings.get(&booking.wanted.external_id.uuid());
        meetings.into_iter().flatten().filter(|meeting| meeting.is_live).collect()
    }

    /// What holds at every moment.
    pub(super) fn promises_hold(&self) {
        for (booking, open) in &self.generations {
            let made = self.graph.meetings.get(&booking.wanted.external_id.uuid()).map_or(0, Vec::len);
            assert!(made <= 1, "a generation has one meeting: {made} were made for {booking:?}");
            assert!(
                open.is_none() || booking.due_at().is_some(),
                "what is under way is due, so that it is resumed: {booking:?}"
            );
            if booking.progress != Progress::Settled {
                continue;
            }
            let live = self.live(booking);
            match booking.wanted.desired_state {
                DesiredState::Cancelled => {
                    assert!(live.is_empty(), "a cancelled booking has no meeting: {booking:?}");
                }
                DesiredState::Present => {
                    let is_so = live.len() == 1 && live[0].seen == seen(&booking.wanted.spec);
                    assert!(is_so, "what is provisioned is so at Graph: {live:?}, {booking:?}");
                }
            }
        }
        if let Some(((_, _), older)) = self.generations.split_last() {
            let held = older
                .iter()
                .filter(|(booking, _)| booking.wanted.desired_state == DesiredState::Present)
                .count();
            assert_eq!(held, 0, "at most the latest generation is held");
        }
    }

    /// What may never go back: the sequence, the revision, and the meeting of a generation once it is known.
    pub(super) fn marks(&self) -> Vec<(Option<u32>, u32, Option<String>)> {
        let mark = |(booking, _): &(Booking, Option<Open>)| {
            let link = booking
                .observed
                .meeting
                .as_ref()
                .map(|meeting| format!("{} {}", meeting.id, meeting.join_web_url));
            (booking.wanted.spec.sequence.map(Sequence::number), booking.revision, link)
        };
        self.generations.iter().map(mark).collect()
    }
}
