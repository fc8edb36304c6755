//! Accept, call, settle: the one path by which a booking comes to its meeting.
//!
//! A fresh request, a retry and a crash all take it. No transaction is open while Graph is asked, and nothing is
//! decided here: `meeting` decides what to ask and what happens next. Called by `api`, `command` and `worker`.

mod alarm;
mod ask;
mod beginning;
mod carry_out;
mod create;
mod day_limits;
mod declaration;
mod drift_check;
mod events;
mod in_flight;
mod manual_retry;
mod name_lookup;
mod notice_effects;
mod organizer_check;
mod pause_reads;
mod quotas;
mod results;
mod resume;
mod settle;
mod tries;
mod unconfirmed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use alarm::Alarm;
pub(crate) use day_limits::{BOOKINGS_PER_DAY, DayLimits};
pub(crate) use declaration::{CancelRequest, Condition, Declaration, Preconditions};
pub(crate) use in_flight::InFlight;
pub(crate) use manual_retry::make_due;
pub(crate) use name_lookup::LookupFailure;
pub(crate) use organizer_check::{Asker, OrganizerQuestions};
pub(crate) use pause_reads::PauseReads;
pub(crate) use quotas::Quotas;
pub(crate) use results::{Cancel, CreateOrGet, Declare, ProvisioningError, Refused, Retry};
pub(crate) use resume::Resumed;
pub(crate) use unconfirmed::Unconfirmed;

use crate::booking::{MeetingSettings, Namespace, Reaches, SourceSystem, TenantId};
use crate::clock::Clock;
use crate::meeting::{DriftPolicy, RetryPolicy};
use crate::msgraph::MicrosoftGraph;
use crate::shares::Places;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::throttling::Gate;
use crate::waiting::Waiting;

/// What provisioning is built from.
#[derive(Debug)]
pub(crate) struct Provisioning {
    /// Where bookings are kept.
    pub(crate) store: Store,
    /// Where meetings are.
    pub(crate) graph: MicrosoftGraph,
    /// When it may be asked.
    pub(crate) gate: Arc<Gate>,
    /// How many questions about organizers are under way.
    pub(crate) organizer_questions: OrganizerQuestions,
    /// When the pauses of other replicas are read.
    pub(crate) pause_reads: PauseReads,
    /// Who comes near the month's limit.
    pub(crate) quotas: quotas::Quotas,
    /// Time, ids and chance.
    pub(crate) clock: Arc<dyn Clock>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The namespace of external ids.
    pub(crate) namespace: Namespace,
    /// The tenant whose meetings these are.
    pub(crate) tenant: TenantId,
    /// What each source system may ask for.
    pub(crate) reaches: Reaches,
    /// How many bookings each source system may store in a day.
    pub(crate) day_limits: DayLimits,
    /// The settings of meetings where a booking doesn't name them, the fixed ones included, by source system.
    pub(crate) default_settings: BTreeMap<SourceSystem, MeetingSettings>,
    /// What is done about meetings that have moved away from their bookings, by source system.
    pub(crate) drift_policies: BTreeMap<SourceSystem, DriftPolicy>,
    /// How long to wait for what.
    pub(crate) policy: RetryPolicy,
    /// How long an attempt may take before another replica takes over.
    pub(crate) lease: Duration,
    /// Wakes the worker when something will be due.
    pub(crate) alarm: Alarm,
    /// The requests that wait, and what replicas tell each other for their sake.
    pub(crate) waiting: Arc<Waiting>,
    /// The attempts that may be of this process.
    pub(crate) unconfirmed: unconfirmed::Unconfirmed,
    /// The slots of the worker, in which it carries out what is due.
    pub(crate) slots: Places,
    /// The attempts of this process, and the runtime that carries them out.
    pub(crate) in_flight: in_flight::InFlight,
}
