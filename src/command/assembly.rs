//! Builds the parts of a service from its settings. `serve`, `demo` and the tests run this same assembly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use secrecy::ExposeSecret;

use super::background_loops::claim_max;
use super::graph_connection;
use super::start_fault::StartFault;
use crate::access::{Action, ApiKeys, Authenticator, IssuerRules, Issuers, KeysFile, PublishedKey};
use crate::api::{ApiState, Remedies, WaitSettings};
use crate::booking::{MeetingSettings, Reaches, SourceSystem};
use crate::clock::{Clock, Timestamp};
use crate::config::{
    AccessSettings, CallerLimits, CertificateFiles, DatabaseSettings, RequestRate, RequiredTls, Settings,
};
use crate::error_chain::chain;
use crate::meeting::{CallKind, DriftPolicy, Failure, Outcome, RetryPolicy, Status};
use crate::msgraph::MicrosoftGraph;
use crate::outbound::is_loopback;
use crate::provisioning::{
    Alarm, BOOKINGS_PER_DAY, DayLimits, InFlight, OrganizerQuestions, PauseReads, Provisioning, Quotas,
    Unconfirmed,
};
use crate::server::{
    AdminServer, CLOSE_REASONS, CredentialCondition, CredentialWatch, Health, PORTS, PublicServer,
    REQUESTS_PER_SECOND, Rate, RateLimits, Tls, TlsFault, TlsFiles,
};
use crate::shares::{NoPlace, Places, Refusals, Share};
use crate::store::{Notice, Store, StoreError, StoreSettings};
use crate::telemetry::{KnownLabels, Metrics};
use crate::throttling::{Gate, RejectionReason};
use crate::waiting::{Waiting, WaitingParts};

/// A clock that differs from Postgres's by more than this makes leases end early or late.
pub(super) const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);
/// As many as metrics count.
const SECONDS_A_DAY: f64 = 86_400.0;
/// Longest wait for a connection to Postgres before a request is answered that the store is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Whether the published key is accepted: only where Graph is simulated on this machine, so that no meeting can be made
/// with it.
pub(super) fn published_key(settings: &Settings) -> PublishedKey {
    if is_loopback(&settings.graph.root_url) { PublishedKey::Accepted } else { PublishedKey::Refused }
}

/// The file of API keys, if there is one.
pub(super) fn keys_file(settings: &Settings) -> Option<KeysFile> {
    let path = settings.access.api_keys_file.clone();
    path.map(|path| KeysFile { path, published_key: published_key(settings) })
}

/// What authenticates callers. The file of API keys is read by a thread that may block.
pub(super) async fn authenticator(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<web::Data<Authenticator>, StartFault> {
    let issuers = Issuers::of(settings.access.issuers.clone(), clock)?;
    let (file, clock) = (keys_file(settings), Arc::clone(clock));
    let certificates = settings.access.certificates.clone();
    let opened =
        tokio::task::spawn_blocking(move || Authenticator::open(file, issuers, certificates, clock)).await;
    Ok(web::Data::new(opened.map_err(|error| StartFault::Thread(chain(&error)))??))
}

/// The store of a command, which works for itself alone.
pub(super) fn store(settings: &DatabaseSettings) -> Result<Store, StoreError> {
    Store::open(&store_settings(settings, Share::of_percent(100), Refusals::uncounted()))
}

/// The store of a command whose statements take as long as they take.
pub(super) fn patient_store(settings: &DatabaseSettings) -> Result<Store, StoreError> {
    let settings = store_settings(settings, Share::of_percent(100), Refusals::uncounted());
    Store::open(&StoreSettings { limits_statements: false, ..settings })
}

fn store_settings(settings: &DatabaseSettings, share: Share, refusals: Refusals) -> StoreSettings {
    StoreSettings {
        url: settings.url.expose_secret().to_owned(),
        connections_max: settings.connections_max,
        acquire_timeout: ACQUIRE_TIMEOUT,
        share,
        refusals,
        limits_statements: settings.limit_statements,
        allows_unverified_tls: settings.tls == RequiredTls::Any,
    }
}

/// The places of the requests of one replica.
#[derive(Debug, Clone)]
pub(super) struct RequestPlaces {
    /// Of those that are answered.
    pub(super) answering: Places,
    /// Of those that only wait.
    pub(super) waiting: Places,
}

impl RequestPlaces {
    /// As many as the settings say.
    pub(super) fn of(settings: &Settings, metrics: &Arc<Metrics>) -> Self {
        let places = |most, names| Places::new(most, share_of(settings), counted(metrics, names));
        Self {
            answering: places(settings.http.requests_max, REFUSED_REQUEST),
            waiting: places(settings.http.waiting_max, REFUSED_WAIT),
        }
    }
}

fn share_of(settings: &Settings) -> Share {
    Share::of_percent(settings.access.share_percent)
}

/// What the refusal of a place is counted as.
#[derive(Debug, Clone, Copy)]
struct RefusalNames {
    all_taken: &'static str,
    share_used_up: &'static str,
}

const REFUSED_REQUEST: RefusalNames = RefusalNames { all_taken: "request", share_used_up: "request-share" };
const REFUSED_WAIT: RefusalNames = RefusalNames { all_taken: "wait", share_used_up: "wait-share" };
const REFUSED_CONNECTION: RefusalNames =
    RefusalNames { all_taken: "connection", share_used_up: "connection-share" };

/// Counts refusals under one name where all places are taken, and under another where a share is used up.
fn counted(metrics: &Arc<Metrics>, names: RefusalNames) -> Refusals {
    let metrics = Arc::clone(metrics);
    Refusals::told_to(move |why| {
        metrics.place_refused(match why {
            NoPlace::AllTaken => names.all_taken,
            NoPlace::ShareUsedUp => names.share_used_up,
        });
    })
}

/// What accepts bookings and carries them out, with the places of the requests that ask for them.
pub(super) fn provisioning(
    settings: &Settings,
    clock: Arc<dyn Clock>,
) -> Result<(Provisioning, RequestPlaces), StartFault> {
    let metrics = Arc::new(Metrics::born_at_zero(&known_labels()));
    let requests = RequestPlaces::of(settings, &metrics);
    let refusals = counted(&metrics, REFUSED_CONNECTION);
    let store = Store::open(&store_settings(&settings.database, share_of(settings), refusals))
        .map_err(|error| StartFault::Database(chain(&error)))?;
    let graph = MicrosoftGraph::new(&graph_connection::of(&settings.graph), Arc::clone(&clock))?;
    let waiting = Arc::new(Waiting::new(WaitingParts {
        store: store.clone(),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        answering: requests.answering.clone(),
        requests: requests.waiting.clone(),
        looks: Places::new(polling_max(settings), share_of(settings), Refusals::uncounted()),
        poll: settings.worker.poll,
        listens: settings.database.listen,
    }));
    let provisioning = Provisioning {
        store,
        graph,
        quotas: Quotas::default(),
        gate: Gate::new(settings.graph.calls_max, share_of(settings), Arc::clone(&clock)),
        organizer_questions: OrganizerQuestions::default(),
        pause_reads: PauseReads::every(settings.worker.poll),
        clock,
        metrics,
        namespace: settings.external_id.namespace,
        tenant: settings.graph.tenant_id,
        reaches: reaches(settings),
        day_limits: day_limits(settings),
        default_settings: default_settings(settings),
        drift_policies: settings.source_systems.iter().map(|(name, one)| (name.clone(), one.drift)).collect(),
        policy: RetryPolicy::default(),
        lease: settings.worker.lease,
        alarm: Alarm::default(),
        waiting,
        unconfirmed: Unconfirmed::default(),
        slots: Places::new(claim_max(&settings.worker), share_of(settings), Refusals::uncounted()),
        in_flight: InFlight::on(tokio::runtime::Handle::current()),
    };
    Ok((provisioning, requests))
}

/// All values of labels that the rooms know.
fn known_labels() -> KnownLabels {
    let refusals = [REFUSED_REQUEST, REFUSED_WAIT, REFUSED_CONNECTION];
    KnownLabels {
        calls: CallKind::ALL.map(CallKind::as_str).into(),
        outcomes: Outcome::NAMES.into(),
        obstacles: RejectionReason::ALL.map(RejectionReason::as_str).into(),
        statuses: Status::ALL.map(Status::as_str).into(),
        codes: Failure::ALL.map(Failure::code).into(),
        notices: Notice::KINDS.into(),
        refused: refusals.iter().flat_map(|names| [names.all_taken, names.share_used_up]).collect(),
        ports: PORTS.into(),
        close_reasons: CLOSE_REASONS.into(),
    }
}

/// The counters of each source system that has a key, or that a block of an issuer names, are there before it books.
pub(super) fn know_source_systems(metrics: &Metrics, authenticator: &Authenticator) {
    let api_keys = authenticator.api_keys();
    let of_issuers = authenticator.issuers().each().flat_map(|issuer| issuer.source_systems());
    let policies = DriftPolicy::ALL.map(DriftPolicy::as_str);
    let of_certificates = authenticator.certificates().iter().map(|rule| &rule.caller.source_system);
    for source_system in api_keys.source_systems().chain(of_issuers).chain(of_certificates) {
        metrics.know_source_system(source_system, &policies, &[REQUESTS_PER_SECOND, BOOKINGS_PER_DAY]);
    }
}

/// The source systems that may book, by a key, a certificate, or a token of an issuer that names them.
pub(super) fn writers(keys: Option<&ApiKeys>, settings: &AccessSettings) -> BTreeSet<SourceSystem> {
    let of_keys = keys.into_iter().flat_map(ApiKeys::callers);
    let of_certificates = settings.certificates.iter().map(|rule| &rule.caller);
    let callers = of_keys.chain(of_certificates).filter(|caller| caller.may(Action::WriteBookings));
    let of_issuers = settings.issuers.iter().flat_map(IssuerRules::source_systems);
    callers.map(|caller| &caller.source_system).chain(of_issuers).cloned().collect()
}

/// Says which source systems can't book, though they have a key or tokens for it: nothing is set for them.
pub(super) fn tell_who_has_no_reach(settings: &Settings, authenticator: &Authenticator) {
    for source_system in writers(Some(&authenticator.api_keys()), &settings.access) {
        let known = settings.source_systems.get(&source_system);
        if known.is_none_or(|known| known.reach.organizers.is_empty()) {
            tracing::warn!(%source_system, "each new booking of this source system will be refused: set its `organizers`");
        }
    }
}

/// A quarter of the connections to Postgres is what waiting requests may poll with; the others accept and settle.
fn polling_max(settings: &Settings) -> usize {
    usize::try_from(settings.database.connections_max / 4).unwrap_or(1).max(1)
}

fn default_settings(settings: &Settings) -> BTreeMap<SourceSystem, MeetingSettings> {
    let each = settings.source_systems.iter();
    each.map(|(name, one)| (name.clone(), one.reach.fixed_settings.or(&one.meeting_settings))).collect()
}

/// What each source system may ask for.
pub(super) fn reaches(settings: &Settings) -> Reaches {
    let each = settings.source_systems.iter();
    Reaches::of(each.map(|(name, one)| (name.clone(), one.reach.clone())).collect())
}

/// How many bookings each source system may store in a day.
fn day_limits(settings: &Settings) -> DayLimits {
    let default = settings.access.limits;
    let each = settings.source_systems.iter();
    let named = each.map(|(name, one)| (name.clone(), one.limits.or(default).day())).collect();
    DayLimits::new(default.day(), named)
}

/// Of all source systems that have settings: their rates of requests.
fn rate_limits(settings: &Settings, clock: &Arc<dyn Clock>) -> RateLimits {
    let default = settings.access.limits;
    let rate = |limits: CallerLimits| {
        limits.rate().map(|RequestRate { per_second, burst }| Rate { per_second, burst })
    };
    let each = settings.source_systems.iter();
    let named = each.map(|(name, one)| (name.clone(), rate(one.limits.or(default)))).collect();
    RateLimits::new(Arc::clone(clock), rate(default), named)
}

/// The server of the public port.
pub(super) fn public_server(
    settings: &Settings,
    provisioning: &Arc<Provisioning>,
    health: &Arc<Health>,
    authenticator: web::Data<Authenticator>,
    tls: Option<Tls>,
) -> PublicServer {
    let state = ApiState {
        provisioning: Arc::clone(provisioning),
        waits: WaitSettings { default: settings.http.wait_default, maximum: settings.http.wait_max },
        read_timeout: settings.http.read_timeout,
        remedies: Remedies { client_id: settings.graph.client_id.to_string() },
        channel_meetings: graph_connection::has_beta(settings.graph.cloud),
    };
    PublicServer {
        state: web::Data::new(state),
        authenticator,
        rate_limits: web::Data::new(rate_limits(settings, &provisioning.clock)),
        metrics: Arc::clone(&provisioning.metrics),
        health: Arc::clone(health),
        read_timeout: settings.http.read_timeout,
        write_timeout: settings.http.write_timeout,
        connections_max: settings.http.connections_max,
        connections_per_peer_max: settings.http.connections_per_peer_max,
        tls,
    }
}

/// The credential of the connection to Graph.
#[derive(Debug)]
struct GraphCredential(Arc<Provisioning>);

impl CredentialWatch for GraphCredential {
    fn look(&self, now: Timestamp) -> CredentialCondition {
        let status = self.0.graph.credential_status();
        CredentialCondition {
            trouble: status.trouble(now),
            remaining_days: status.replace_by().map(|by| (by - now).as_seconds_f64() / SECONDS_A_DAY),
            is_refused: status.is_refused(),
            is_file_faulty: status.file_fault.is_some(),
        }
    }
}

/// The certificate of the public port, if the settings name one. Blocks.
pub(super) fn tls(settings: &Settings) -> Result<Option<Tls>, TlsFault> {
    let files = settings.http.certificate.clone();
    files
        .map(|CertificateFiles { certificate, private_key, client_authorities }| {
            Tls::open(TlsFiles { certificate, private_key, client_authorities })
        })
        .transpose()
}

/// The server of the admin port.
pub(super) fn admin_server(
    settings: &Settings,
    provisioning: &Arc<Provisioning>,
    health: &Arc<Health>,
    authenticator: web::Data<Authenticator>,
) -> AdminServer {
    AdminServer {
        health: Arc::clone(health),
        authenticator,
        metrics: Arc::clone(&provisioning.metrics),
        store: provisioning.store.clone(),
        credential: Arc::new(GraphCredential(Arc::clone(provisioning))),
        clock: Arc::clone(&provisioning.clock),
        starting_soon: settings.telemetry.starting_soon,
    }
}
