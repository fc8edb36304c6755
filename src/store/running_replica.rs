//! Replicas that run, as they tell of themselves.

use crate::clock::Timestamp;

/// What a running replica tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunningReplica {
    /// The name of its machine.
    pub(crate) name: String,
    /// Its process on that machine.
    pub(crate) process_id: i32,
    /// The version of the program.
    pub(crate) version: String,
    /// When it started, by its own clock.
    pub(crate) started_at: Timestamp,
    /// Tells client secrets apart, and gives none away.
    pub(crate) credential: String,
    /// Tells settings apart.
    pub(crate) settings: String,
}

/// One of them, as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeenReplica {
    /// What it told.
    pub(crate) replica: RunningReplica,
    /// When it did, by the clock of the database.
    pub(crate) seen_at: Timestamp,
    /// How long ago that was, in seconds.
    pub(crate) unseen_seconds: f64,
    /// How far its clock was ahead of that of the database, in seconds.
    pub(crate) ahead_seconds: f64,
}
