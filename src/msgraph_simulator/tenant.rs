//! Everything that the simulated tenant knows. Shared by the HTTP workers and the program that started the simulator.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::app_credentials::AppCredentials;
use super::fault_plan::FaultPlan;
use super::graph_response::Exchange;
use super::ledger::Ledger;
use super::meetings::Meetings;
use super::organizers::Organizers;
use super::simulator_settings::SimulatorSettings;
use super::token_endpoint::IssuedTokens;

/// Everything that the simulated tenant knows. Each part has a lock of its own, held for moments only.
#[derive(Debug)]
pub(super) struct Tenant {
    settings: SimulatorSettings,
    root_url: String,
    tokens: IssuedTokens,
    credentials: Mutex<AppCredentials>,
    roles: Mutex<Vec<String>>,
    organizers: Mutex<Organizers>,
    meetings: Mutex<Meetings>,
    faults: Mutex<FaultPlan>,
    ledger: Ledger,
}

impl Tenant {
    /// A tenant without meetings. `root_url` is where the simulator is reached, without a slash at the end.
    pub(super) fn new(settings: SimulatorSettings, root_url: String) -> Self {
        Self {
            root_url,
            tokens: IssuedTokens::default(),
            credentials: Mutex::new(AppCredentials::of_secret(settings.client_secret.clone())),
            roles: Mutex::new(settings.roles.clone()),
            organizers: Mutex::new(Organizers::new(settings.undeclared_organizers)),
            meetings: Mutex::default(),
            faults: Mutex::new(FaultPlan::new(settings.seed)),
            ledger: Ledger::new(settings.calls_kept_max),
            settings,
        }
    }

    pub(super) fn settings(&self) -> &SimulatorSettings {
        &self.settings
    }

    pub(super) fn root_url(&self) -> &str {
        &self.root_url
    }

    pub(super) fn tokens(&self) -> &IssuedTokens {
        &self.tokens
    }

    /// What is registered for the application.
    pub(super) fn credentials(&self) -> MutexGuard<'_, AppCredentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The application permissions that tokens hold from now on.
    pub(super) fn roles(&self) -> MutexGuard<'_, Vec<String>> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn organizers(&self) -> MutexGuard<'_, Organizers> {
        self.organizers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn meetings(&self) -> MutexGuard<'_, Meetings> {
        self.meetings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Begins an exchange with a caller who may have named it.
    pub(super) fn exchange(&self, client_request_id: Option<String>) -> Exchange {
        let clock = &self.settings.clock;
        Exchange { now: clock.now(), request_id: clock.fresh_id(), client_request_id }
    }

    /// Back to the start: no meeting, no call, no fault, no declared user. Issued tokens stay good.
    pub(super) fn reset(&self) {
        *self.credentials() = AppCredentials::of_secret(self.settings.client_secret.clone());
        self.roles().clone_from(&self.settings.roles);
        *self.faults() = FaultPlan::new(self.settings.seed);
        self.organizers().clear();
        *self.meetings() = Meetings::default();
        self.ledger.clear();
    }
}
