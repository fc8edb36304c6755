//! A circuit and a limit for each source system: what fails for one says nothing of another. Were Graph away, each would find
//! out by a few calls of its own.

use std::collections::HashMap;

use super::adaptive_limit::AdaptiveLimit;
use super::breaker::{Admission, Breaker, Meaning, Streak};
use super::gate::CallClass;
use super::sign::Sign;
use crate::booking::SourceSystem;
use crate::clock::Timestamp;

/// The circuits; as many as source systems have sent calls, and those come from the keys.
#[derive(Debug)]
pub(super) struct Circuits {
    calls_max: u32,
    of_source_system: HashMap<SourceSystem, Circuit>,
}

#[derive(Debug)]
struct Circuit {
    breaker: Breaker,
    limit: AdaptiveLimit,
}

impl Circuits {
    /// All closed; so many calls at once at most.
    pub(super) fn with(calls_max: u32) -> Self {
        Self { calls_max, of_source_system: HashMap::new() }
    }

    /// Whether a call would be admitted now.
    pub(super) fn admission(&self, class: &CallClass, now: Timestamp) -> Admission {
        self.get(&class.source_system)
            .map_or(Admission::Allowed, |circuit| circuit.breaker.admission(class.failed_before, now))
    }

    /// A call of this class is the probe.
    pub(super) fn probe(&mut self, class: &CallClass) {
        self.circuit(class).breaker.probe();
    }

    /// The probe of this class was not sent.
    pub(super) fn probe_was_not_sent(&mut self, class: &CallClass, now: Timestamp) {
        self.circuit(class).breaker.probe_was_not_sent(now);
    }

    /// Graph answered a call of this class; so many of its source system were under way.
    pub(super) fn answered(&mut self, class: &CallClass) {
        self.circuit(class).breaker.answered();
    }

    /// The same, and it went well while so many of its source system were under way.
    pub(super) fn succeeded(&mut self, class: &CallClass, under_way: usize) {
        let circuit = self.circuit(class);
        circuit.breaker.answered();
        circuit.limit.succeeded(under_way);
    }

    /// A call of this class failed. Says whether Graph counts as away since then.
    pub(super) fn failed(&mut self, class: &CallClass, sign: Sign, is_probe: bool, now: Timestamp) -> bool {
        let circuit = self.circuit(class);
        let meaning = circuit.breaker.failed(sign, class.subject(), is_probe, now);
        // What is about one organizer says nothing of how much Graph takes.
        if meaning != Meaning::OfOne {
            circuit.limit.overloaded(now);
        }
        meaning == Meaning::Opens
    }

    /// How many calls of this source system may be under way.
    pub(super) fn limit_of(&self, source_system: &SourceSystem) -> usize {
        self.get(source_system).map_or(usize::MAX, |circuit| circuit.limit.now())
    }

    /// The lowest of all limits.
    pub(super) fn lowest_limit(&self) -> Option<usize> {
        self.of_source_system.values().map(|circuit| circuit.limit.now()).min()
    }

    /// Whether calls of this source system are admitted without a probe.
    pub(super) fn is_closed(&self, source_system: &SourceSystem) -> bool {
        self.get(source_system).is_none_or(|circuit| circuit.breaker.is_closed())
    }

    /// The source systems of which no call is admitted now, and until when.
    pub(super) fn blocked(&self, now: Timestamp) -> Vec<(SourceSystem, Timestamp)> {
        let each = self.of_source_system.iter();
        each.filter_map(|(name, circuit)| Some((name.clone(), circuit.breaker.blocked_until(now)?))).collect()
    }

    fn get(&self, source_system: &SourceSystem) -> Option<&Circuit> {
        self.of_source_system.get(source_system)
    }

    fn circuit(&mut self, class: &CallClass) -> &mut Circuit {
        let calls_max = self.calls_max;
        self.of_source_system.entry(class.source_system.clone()).or_insert_with(|| Circuit {
            breaker: Breaker::Closed(Streak::default()),
            limit: AdaptiveLimit::of(calls_max),
        })
    }
}
