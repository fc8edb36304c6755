//! The weather: about every third call to Graph or for a token goes wrong, in every way there is.

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, Simulator};

/// Longer than `graph.timeout_seconds` of the replicas, shorter than their leases.
const PAST_THE_TIMEOUT: u64 = 3_000;

/// Plans the faults. The calls of the organizers `steadfast` may also be carried out after the service has given them up.
pub fn inject(simulator: &Simulator, steadfast: &[&str]) {
    let failed_before = |status, retry_after: Option<&str>| Effect::FailedBeforeWork {
        status,
        retry_after: retry_after.map(str::to_owned),
    };
    let failed_after = |status, retry_after: Option<&str>| Effect::FailedAfterWork {
        status,
        retry_after: retry_after.map(str::to_owned),
    };
    let throttled_before = |text: &str| Effect::ThrottledBeforeWork { retry_after: Some(text.to_owned()) };
    let throttled_after = |text: &str| Effect::ThrottledAfterWork { retry_after: Some(text.to_owned()) };
    for (effect, probability) in [
        (Effect::ThrottledBeforeWork { retry_after: None }, 0.01),
        (throttled_before("1"), 0.02),
        (throttled_before("0.628"), 0.02),
        (Effect::ThrottledAfterWork { retry_after: None }, 0.01),
        (throttled_after("1"), 0.01),
        (throttled_after("0.713"), 0.02),
        (failed_before(500, None), 0.02),
        (failed_after(500, None), 0.02),
        (failed_before(502, None), 0.01),
        (failed_before(503, Some("0.5")), 0.02),
        (failed_after(503, None), 0.02),
        (failed_after(504, Some("1")), 0.02),
        (Effect::ConnectionReset, 0.04),
        (Effect::AnswerLost, 0.04),
        (Effect::TruncatedBody, 0.04),
        (Effect::Collision, 0.02),
        (Effect::TokenNotAccepted, 0.01),
        (Effect::SlowAfterWork { milliseconds: 300 }, 0.05),
        (Effect::SlowAfterWork { milliseconds: PAST_THE_TIMEOUT }, 0.02),
    ] {
        simulator.inject(InjectedFault::anywhere(effect).with_probability(probability));
    }
    // A creation that comes late finds the meeting there. But one that comes after a cancel, or a change that comes after
    // a newer one, would undo it unnoticed: only a later check (drift) can find that.
    for organizer in steadfast {
        let late = Effect::SlowBeforeWork { milliseconds: PAST_THE_TIMEOUT };
        let late = InjectedFault::on(Operation::CreateOrGet, late).with_probability(0.03);
        simulator.inject(late.for_organizer(*organizer));
    }
}
