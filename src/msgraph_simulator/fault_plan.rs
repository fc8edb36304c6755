//! Which fault strikes which call. Pure and deterministic: the same seed, faults and calls give the same result.

use std::time::Duration;

use serde::Serialize;

use super::faults::{Effect, Frequency, InjectedFault};
use super::route::Operation;

/// What strikes one call: delays, and at most one other effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) before_work: Duration,
    pub(super) after_work: Duration,
    pub(super) effect: Option<Effect>,
    /// The kinds of everything that struck, for the ledger.
    pub(super) kinds: Vec<&'static str>,
}

impl Drawn {
    pub(super) fn is_slow(&self) -> bool {
        !self.before_work.is_zero() || !self.after_work.is_zero()
    }

    fn add(&mut self, effect: &Effect) {
        self.kinds.push(effect.kind());
        match effect {
            Effect::SlowBeforeWork { milliseconds } => {
                self.before_work += Duration::from_millis(*milliseconds);
            }
            Effect::SlowAfterWork { milliseconds } => self.after_work += Duration::from_millis(*milliseconds),
            other => self.effect = Some(other.clone()),
        }
    }
}

/// A fault and how often it struck so far.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PlannedFault {
    #[serde(flatten)]
    fault: InjectedFault,
    /// Matching calls that the fault was asked about.
    asked: u64,
    /// Calls that it struck.
    struck: u64,
}

impl PlannedFault {
    fn strikes(&mut self, dice: &mut Dice) -> bool {
        self.asked += 1;
        if self.asked <= u64::from(self.fault.skip()) {
            return false;
        }
        let strikes = match self.fault.frequency() {
            Frequency::Times(times) => self.struck < u64::from(times),
            Frequency::Probability(probability) => dice.fraction() < probability,
        };
        self.struck += u64::from(strikes);
        strikes
    }
}

/// All faults in the order they were injected.
#[derive(Debug)]
pub(super) struct FaultPlan {
    faults: Vec<PlannedFault>,
    dice: Dice,
}

impl FaultPlan {
    pub(super) fn new(seed: u64) -> Self {
        Self { faults: Vec::new(), dice: Dice(seed) }
    }

    pub(super) fn inject(&mut self, fault: InjectedFault) {
        self.faults.push(PlannedFault { fault, asked: 0, struck: 0 });
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn faults(&self) -> Vec<PlannedFault> {
        self.faults.clone()
    }

    /// What strikes this call: every delay that matches, and the first other fault. Faults behind that one are not
    /// asked, so their counts stay for later calls.
    pub(super) fn draw(&mut self, operation: Operation, organizer: Option<&str>) -> Drawn {
        let mut drawn = Drawn::default();
        for planned in &mut self.faults {
            let asked = drawn.effect.is_none() || planned.fault.effect().is_slow();
            if asked && planned.fault.matches(operation, organizer) && planned.strikes(&mut self.dice) {
                drawn.add(planned.fault.effect());
            }
        }
        drawn
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and the same everywhere for the same seed.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit into an f64 without loss")]
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(plan: &mut FaultPlan, operation: Operation, organizer: &str) -> Vec<&'static str> {
        plan.draw(operation, Some(organizer)).kinds
    }

    #[test]
    fn a_counted_fault_strikes_so_many_matching_calls_and_no_more() {
        let mut plan = FaultPlan::new(0);
        plan.inject(
            InjectedFault::on(Operation::Patch, Effect::AnswerLost).for_organizer("ANNA").times(2).after(1),
        );
        assert!(struck(&mut plan, Operation::CreateOrGet, "anna").is_empty());
        assert!(struck(&mut plan, Operation::Patch, "bert").is_empty());
        assert!(struck(&mut plan, Operation::Patch, "anna").is_empty());
        assert_eq!(struck(&mut plan, Operation::Patch, "anna"), ["answerLost"]);
        assert_eq!(struck(&mut plan, Operation::Patch, "anna"), ["answerLost"]);
        assert!(struck(&mut plan, Operation::Patch, "anna").is_empty());
    }

    #[test]
    fn delays_come_on_top_and_other_faults_queue_up() {
        let mut plan = FaultPlan::new(0);
        plan.inject(InjectedFault::anywhere(Effect::AnswerLost));
        plan.inject(InjectedFault::anywhere(Effect::Collision));
        plan.inject(InjectedFault::anywhere(Effect::SlowAfterWork { milliseconds: 5 }).always());
        assert_eq!(struck(&mut plan, Operation::Get, "anna"), ["answerLost", "slowAfterWork"]);
        assert_eq!(struck(&mut plan, Operation::Get, "anna"), ["collision", "slowAfterWork"]);
        assert_eq!(struck(&mut plan, Operation::Get, "anna"), ["slowAfterWork"]);
    }

    #[test]
    fn the_same_seed_strikes_the_same_calls() {
        let strikes = |seed| {
            let mut plan = FaultPlan::new(seed);
            plan.inject(InjectedFault::anywhere(Effect::AnswerLost).with_probability(0.25));
            let draw = |_| !struck(&mut plan, Operation::Get, "anna").is_empty();
            (0..1_000).map(draw).collect::<Vec<_>>()
        };
        assert_eq!(strikes(7), strikes(7));
        assert_ne!(strikes(7), strikes(8));
        let count = strikes(7).iter().filter(|&&strikes| strikes).count();
        assert!((200..300).contains(&count), "{count} of 1000");
    }

    #[test]
    fn a_token_refusal_leaves_graph_alone_and_a_collision_leaves_the_token_alone() {
        let mut plan = FaultPlan::new(0);
        plan.inject(InjectedFault::anywhere(Effect::TokenRefused { code: 7_000_215 }).always());
        plan.inject(InjectedFault::anywhere(Effect::Collision).always());
        assert_eq!(struck(&mut plan, Operation::Get, "anna"), ["collision"]);
        assert_eq!(plan.draw(Operation::Token, None).kinds, ["tokenRefused"]);
    }
}
