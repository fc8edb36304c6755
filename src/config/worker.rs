//! `[worker]`: the worker, which resumes what is due.

use std::time::Duration;

use super::reader::Reader;
use crate::setting::{fractional_seconds, hours, seconds, whole};

/// How often the worker polls, how much it claims, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    /// The poll interval; what this replica knows to be due wakes the worker earlier.
    pub poll: Duration,
    /// The most bookings it claims at once.
    pub claim_max: u32,
    /// How long one attempt may take before another replica may claim the booking.
    pub lease: Duration,
    /// How often each meeting still to come is compared with its booking; nothing where that is switched off.
    pub rounds: Option<Duration>,
    /// How many meetings one replica compares in a minute, at most.
    pub rounds_per_minute: u32,
}

/// How long one attempt may take.
pub(super) fn lease(reader: &mut Reader) -> Option<Duration> {
    reader.or_default("worker.lease_seconds", Duration::from_mins(1), &seconds(1..=3_600))
}

impl WorkerSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let poll = reader.or_default(
            "worker.poll_seconds",
            Duration::from_millis(750),
            &fractional_seconds(0.01..=60.0),
        );
        let claim_max = reader.or_default("worker.claim_max", 32, &whole(1..=1_000));
        let lease = lease(reader);
        let rounds = reader.or_default("worker.rounds_hours", Duration::ZERO, &hours(0..=8_760));
        let rounds_per_minute = reader.or_default("worker.rounds_per_minute", 30, &whole(1..=6_000));
        Some(Self {
            poll: poll?,
            claim_max: claim_max?,
            lease: lease?,
            rounds: Some(rounds?).filter(|rounds| !rounds.is_zero()),
            rounds_per_minute: rounds_per_minute?,
        })
    }
}
