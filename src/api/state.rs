//! What the API is built from.

use std::sync::Arc;
use std::time::Duration;

use crate::provisioning::Provisioning;

/// What every endpoint can reach.
#[derive(Debug)]
pub(crate) struct ApiState {
    /// Accepts bookings and waits for them; its store is read.
    pub(crate) provisioning: Arc<Provisioning>,
    /// How long callers may wait.
    pub(crate) waits: WaitSettings,
    /// The longest time that a body may take to arrive.
    pub(crate) read_timeout: Duration,
    /// What is put into the texts for administrators.
    pub(crate) remedies: Remedies,
    /// Whether the configured cloud and version of Graph can make meetings in a channel (`chatInfo`).
    pub(crate) channel_meetings: bool,
}

/// How long callers may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitSettings {
    /// The wait of a request that doesn't say.
    pub(crate) default: Duration,
    /// The longest wait; a longer `Prefer: wait` is lowered to it.
    pub(crate) maximum: Duration,
}

/// What is put into the texts for administrators.
#[derive(Debug, Clone)]
pub(crate) struct Remedies {
    /// This service's application (client) id in Entra.
    pub(crate) client_id: String,
}
