//! What can go wrong on demand, where, and how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::route::Operation;

/// What goes wrong. "The work" is what the call asks for: creating, changing, deleting a meeting, issuing a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// 429, and nothing was done.
    ThrottledBeforeWork {
        /// The `Retry-After` header verbatim; none if absent.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 429, although the work was done.
    ThrottledAfterWork {
        /// The `Retry-After` header verbatim; none if absent.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// A status such as 500, 502, 503 or 504, and nothing was done.
    FailedBeforeWork {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header verbatim; none if absent.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// A status such as 500, 502, 503 or 504, although the work was done.
    FailedAfterWork {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header verbatim; none if absent.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The work is done, then the connection is closed without a single byte of an answer.
    AnswerLost,
    /// Nothing is done and the connection is reset (TCP RST).
    ConnectionReset,
    /// The call waits before the work. Slow effects come on top of any other one.
    SlowBeforeWork {
        /// How long.
        milliseconds: u64,
    },
    /// The work is done and the answer waits. Slow effects come on top of any other one.
    SlowAfterWork {
        /// How long.
        milliseconds: u64,
    },
    /// The work is done; the status line, the headers and the first half of the body arrive, then the connection
    /// is closed.
    TruncatedBody,
    /// Entra refuses the token with this AADSTS number (7000215, 7000222, 700016, 90002, …). Token calls only.
    TokenRefused {
        /// The AADSTS number.
        code: u32,
    },
    /// 401 from Graph although the token is good. Never for token calls.
    TokenNotAccepted,
    /// 409 from Graph. Never for token calls.
    Collision,
    /// 404 from Graph, as it says it of the user, the organizer or the meeting that the call names: a copy that lags. Never for
    /// token calls.
    NotFound,
    /// What stands before Graph or Entra answers in its place: nothing of what either's own answers bear is there.
    Gateway {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: GatewayBody,
        /// Whether the work is done all the same.
        #[serde(default)]
        after_work: bool,
    },
    /// Any answer at all.
    Respond {
        /// The HTTP status.
        status: u16,
        /// Headers on top of Graph's own.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body as it goes out.
        #[serde(default)]
        body: String,
        /// Whether the work is done all the same.
        #[serde(default)]
        after_work: bool,
    },
}

/// What a gateway answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GatewayBody {
    /// A page in HTML, such as a login page.
    Page,
    /// One line of plain text.
    Text,
    /// JSON in a form that is neither Graph's nor Entra's.
    Json,
    /// Nothing.
    Empty,
}

impl Effect {
    /// The name under which the ledger and the control endpoint know the effect.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ThrottledBeforeWork { .. } => "throttledBeforeWork",
            Self::ThrottledAfterWork { .. } => "throttledAfterWork",
            Self::FailedBeforeWork { .. } => "failedBeforeWork",
            Self::FailedAfterWork { .. } => "failedAfterWork",
            Self::AnswerLost => "answerLost",
            Self::ConnectionReset => "connectionReset",
            Self::SlowBeforeWork { .. } => "slowBeforeWork",
            Self::SlowAfterWork { .. } => "slowAfterWork",
            Self::TruncatedBody => "truncatedBody",
            Self::TokenRefused { .. } => "tokenRefused",
            Self::TokenNotAccepted => "tokenNotAccepted",
            Self::Collision => "collision",
            Self::NotFound => "notFound",
            Self::Gateway { .. } => "gateway",
            Self::Respond { .. } => "respond",
        }
    }

    /// Whether the effect is a delay, which comes on top of any other effect.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Self::SlowBeforeWork { .. } | Self::SlowAfterWork { .. })
    }

    /// Whether the effect makes sense for an operation.
    fn concerns(&self, operation: Operation) -> bool {
        match self {
            Self::TokenRefused { .. } => operation == Operation::Token,
            Self::TokenNotAccepted | Self::Collision | Self::NotFound => {
                !matches!(operation, Operation::Token | Operation::IdentityToken)
            }
            _ => true,
        }
    }
}

/// How often a fault strikes among the calls it matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frequency {
    /// The first so many matching calls.
    Times(u32),
    /// Each matching call with this probability, from 0 to 1, drawn from the simulator's seed.
    Probability(f64),
}

/// A fault: what goes wrong, where, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FaultBody", into = "FaultBody")]
pub struct InjectedFault {
    effect: Effect,
    operation: Option<Operation>,
    organizer: Option<String>,
    skip: u32,
    frequency: Frequency,
}

impl InjectedFault {
    /// A fault that strikes the first call of any operation.
    #[must_use]
    pub fn anywhere(effect: Effect) -> Self {
        Self { effect, operation: None, organizer: None, skip: 0, frequency: Frequency::Times(1) }
    }

    /// A fault that strikes the first call of one operation.
    #[must_use]
    pub fn on(operation: Operation, effect: Effect) -> Self {
        Self { operation: Some(operation), ..Self::anywhere(effect) }
    }

    /// Only calls with this user in the path (object id or UPN, in either case).
    #[must_use]
    pub fn for_organizer(mut self, organizer: impl Into<String>) -> Self {
        self.organizer = Some(organizer.into());
        self
    }

    /// Lets the first `skip` matching calls pass.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Strikes `times` matching calls, then never again.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.frequency = Frequency::Times(times);
        self
    }

    /// Strikes each matching call with a probability from 0 to 1.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.frequency = Frequency::Probability(probability);
        self
    }

    /// Strikes every matching call until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        self.with_probability(1.0)
    }

    /// What goes wrong.
    #[must_use]
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    pub(super) fn frequency(&self) -> Frequency {
        self.frequency
    }

    pub(super) fn skip(&self) -> u32 {
        self.skip
    }

    pub(super) fn matches(&self, operation: Operation, organizer: Option<&str>) -> bool {
        self.effect.concerns(operation)
            && self.operation.is_none_or(|wanted| wanted == operation)
            && self.organizer.as_deref().is_none_or(|wanted| {
                organizer.is_some_and(|organizer| organizer.eq_ignore_ascii_case(wanted))
            })
    }
}

/// A fault as the control endpoint writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FaultBody {
    effect: Effect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organizer: Option<String>,
    #[serde(default)]
    skip: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
}

impl TryFrom<FaultBody> for InjectedFault {
    type Error = String;

    fn try_from(body: FaultBody) -> Result<Self, String> {
        let frequency = match (body.times, body.probability) {
            (Some(_), Some(_)) => return Err("give `times` or `probability`, not both".to_owned()),
            (times, None) => Frequency::Times(times.unwrap_or(1)),
            (None, Some(probability)) if (0.0..=1.0).contains(&probability) => {
                Frequency::Probability(probability)
            }
            (None, Some(probability)) => {
                return Err(format!("probability {probability} is not within 0 to 1"));
            }
        };
        if let Effect::FailedBeforeWork { status, .. }
        | Effect::FailedAfterWork { status, .. }
        | Effect::Gateway { status, .. }
        | Effect::Respond { status, .. } = &body.effect
            && !(200..=599).contains(status)
        {
            return Err(format!("status {status} is not within 200 to 599"));
        }
        Ok(Self {
            effect: body.effect,
            operation: body.operation,
            organizer: body.organizer,
            skip: body.skip,
            frequency,
        })
    }
}

impl From<InjectedFault> for FaultBody {
    fn from(fault: InjectedFault) -> Self {
        let (times, probability) = match fault.frequency {
            Frequency::Times(times) => (Some(times), None),
            Frequency::Probability(probability) => (None, Some(probability)),
        };
        Self {
            effect: fault.effect,
            operation: fault.operation,
            organizer: fault.organizer,
            skip: fault.skip,
            times,
            probability,
        }
    }
}
