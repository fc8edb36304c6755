//! The service under test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meeting_provisioner::clock::{Clock, ManualClock, SystemClock, Timestamp};
use meeting_provisioner::command::{BackgroundWork, Replica};
use meeting_provisioner::config::Settings;
use meeting_provisioner::msgraph_simulator::{Simulator, SimulatorSettings};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use time::macros::datetime;

use super::keys::{Who, write_keys};
use super::postgres::{TestDatabase, fresh_database};
use super::postgres_proxy::PostgresProxy;
use super::service_response::ServiceResponse;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The settings file in a test's folder, if it has one.
const CONFIG_FILE: &str = "config.toml";

/// A service of a test's own: its database, its simulator, its clock.
pub struct TestApp {
    /// Graph, as this service sees it.
    pub simulator: Arc<Simulator>,
    /// The time; it stands still until the test moves it.
    pub clock: Arc<ManualClock>,
    /// The database behind the service, for looking and for meddling.
    pub pool: PgPool,
    service: Option<Replica>,
    environment: Vec<(String, String)>,
    http: Option<reqwest::Client>,
    database: Arc<TestDatabase>,
    folder: Arc<TempDir>,
    proxy: Option<Arc<PostgresProxy>>,
}

impl TestApp {
    /// Starts a service.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a service with some settings of its own, by the names of their environment variables without prefix.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_at(datetime!(2026-11-23 08:00 UTC), settings, None).await
    }

    /// Starts a service with a settings file of its own.
    pub async fn start_with_file(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
        Self::start_in(folder, datetime!(2026-11-23 08:00 UTC), &[], None).await
    }

    /// Replaces the settings file; the next replica reads it.
    pub fn write_file(&self, text: &str) {
        std::fs::write(self.folder.path().join(CONFIG_FILE), text).unwrap();
    }

    /// Starts a service whose clock shows the real time, for tests with processes that know no other.
    pub async fn start_now() -> Self {
        Self::start_with_now(&[]).await
    }

    /// The same with some settings of its own.
    pub async fn start_with_now(settings: &[(&str, &str)]) -> Self {
        Self::start_at(SystemClock.now(), settings, None).await
    }

    /// Starts a service that reaches its database through a proxy, which tests let break connections. The `pool` of the
    /// tests does not.
    pub async fn start_behind_proxy(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_on(folder, datetime!(2026-11-23 08:00 UTC), (settings, None), true).await
    }

    /// The same with a clock that shows the real time.
    pub async fn start_now_behind_proxy(settings: &[(&str, &str)]) -> Self {
        Self::start_on(tempfile::tempdir().unwrap(), SystemClock.now(), (settings, None), true).await
    }

    /// The proxy of a service that was started behind one.
    pub fn proxy(&self) -> &PostgresProxy {
        self.proxy.as_ref().expect("this service was started behind a proxy")
    }

    /// Starts a service with one more API key, given as its block.
    pub async fn start_with_keys(block: &str) -> Self {
        Self::start_at(datetime!(2026-11-23 08:00 UTC), &[], Some(block)).await
    }

    async fn start_at(now: Timestamp, settings: &[(&str, &str)], key: Option<&str>) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), now, settings, key).await
    }

    async fn start_in(folder: TempDir, now: Timestamp, settings: &[(&str, &str)], key: Option<&str>) -> Self {
        Self::start_on(folder, now, (settings, key), false).await
    }

    async fn start_on(
        folder: TempDir,
        now: Timestamp,
        (settings, key): (&[(&str, &str)], Option<&str>),
        behind_proxy: bool,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(now));
        let simulator_clock: Arc<dyn Clock> = clock.clone();
        let simulator = Simulator::start(SimulatorSettings { clock: simulator_clock, ..Default::default() })
            .await
            .unwrap();
        let database = Arc::new(fresh_database(&MIGRATOR).await);
        let proxy =
            if behind_proxy { Some(Arc::new(PostgresProxy::in_front_of(&database.url).await)) } else { None };
        let folder = Arc::new(folder);
        let keys = write_keys(folder.path(), key.unwrap_or_default());
        let database_url = proxy.as_ref().map_or(database.url.as_str(), |proxy| proxy.url());
        let mut environment = environment(&simulator, database_url, &keys);
        environment.extend(settings.iter().map(|(name, value)| (prefixed(name), (*value).to_owned())));
        Self::assemble(Arc::new(simulator), clock, environment, (database, proxy), folder).await
    }

    /// Starts another replica on the same database, simulator and clock.
    pub async fn another_replica(&self) -> Self {
        self.another_replica_with(&[]).await
    }

    /// The same with some settings of its own.
    pub async fn another_replica_with(&self, settings: &[(&str, &str)]) -> Self {
        let mut environment = self.environment.clone();
        environment.extend(settings.iter().map(|(name, value)| (prefixed(name), (*value).to_owned())));
        let (database, folder) = (Arc::clone(&self.database), Arc::clone(&self.folder));
        let (simulator, clock) = (Arc::clone(&self.simulator), Arc::clone(&self.clock));
        Self::assemble(simulator, clock, environment, (database, self.proxy.clone()), folder).await
    }

    async fn assemble(
        simulator: Arc<Simulator>,
        clock: Arc<ManualClock>,
        environment: Vec<(String, String)>,
        (database, proxy): (Arc<TestDatabase>, Option<Arc<PostgresProxy>>),
        folder: Arc<TempDir>,
    ) -> Self {
        let file = folder.path().join(CONFIG_FILE);
        let settings = Settings::load(file.exists().then_some(file.as_path()), environment.clone()).unwrap();
        let service_clock: Arc<dyn Clock> = clock.clone();
        let service = Replica::start(&settings, service_clock, BackgroundWork::Manual).await.unwrap();
        // Past the proxy, if there is one; a test may also have a server of its own.
        let url = if proxy.is_some() { &database.url } else { settings.database.url.expose_secret() };
        let pool = PgPool::connect(url).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            simulator,
            clock,
            pool,
            service: Some(service),
            environment,
            http: Some(http),
            database,
            folder,
            proxy,
        }
    }

    /// The settings, as environment variables for a process of its own.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    fn service(&self) -> &Replica {
        self.service.as_ref().expect("the service runs until the test ends")
    }

    /// The address of a path at the public door.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service().public_address())
    }

    /// The address of a path at the operators' door.
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service().admin_address())
    }

    /// A request to the public door, to be completed and sent.
    pub fn request(&self, who: Who, method: Method, path: &str) -> reqwest::RequestBuilder {
        let http = self.http.as_ref().expect("the service runs until the test ends");
        let request = http.request(method, self.url(path));
        match who.key() {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// `GET` of a path.
    pub async fn get(&self, who: Who, path: &str) -> ServiceResponse {
        ServiceResponse::read(self.request(who, Method::GET, path).send().await.unwrap()).await
    }

    /// `GET` of a path with a `Prefer` header.
    pub async fn get_preferring(&self, who: Who, prefer: &str, path: &str) -> ServiceResponse {
        let request = self.request(who, Method::GET, path).header("Prefer", prefer);
        ServiceResponse::read(request.send().await.unwrap()).await
    }

    /// `POST /v1/bookings`, with the answer awaited as long as the service waits.
    pub async fn book(&self, who: Who, body: &Value) -> ServiceResponse {
        ServiceResponse::read(
            self.request(who, Method::POST, "/v1/bookings").json(body).send().await.unwrap(),
        )
        .await
    }

    /// The same with a `Prefer` header.
    pub async fn book_preferring(&self, who: Who, prefer: &str, body: &Value) -> ServiceResponse {
        let request = self.request(who, Method::POST, "/v1/bookings").header("Prefer", prefer).json(body);
        ServiceResponse::read(request.send().await.unwrap()).await
    }

    /// `PUT /v1/bookings/{id}` with the id that the body names.
    pub async fn declare(&self, body: &Value) -> ServiceResponse {
        self.put(body["bookingId"].as_str().unwrap(), body, &[]).await
    }

    /// The same with `If-Match`.
    pub async fn declare_if(&self, condition: &str, body: &Value) -> ServiceResponse {
        self.put(body["bookingId"].as_str().unwrap(), body, &[("If-Match", condition)]).await
    }

    /// `PUT /v1/bookings/{path}` with these headers.
    pub async fn put(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> ServiceResponse {
        let request = self.request(Who::Desk, Method::PUT, &format!("/v1/bookings/{path}")).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        ServiceResponse::read(request.send().await.unwrap()).await
    }

    /// `DELETE /v1/bookings/{path}` with these headers.
    pub async fn delete(&self, path: &str, headers: &[(&str, &str)]) -> ServiceResponse {
        let request = self.request(Who::Desk, Method::DELETE, &format!("/v1/bookings/{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        ServiceResponse::read(request.send().await.unwrap()).await
    }

    /// A metric's value, where it has no labels or they are part of the name; 0 while nothing is counted.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = reqwest::get(self.admin_url("/metrics")).await.unwrap().text().await.unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until this replica hears what others tell.
    pub async fn until_listening(&self) {
        self.until_metric("meeting_provisioner_listening", |value| value > 0.0).await;
    }

    /// Waits until a metric is as wanted.
    pub async fn until_metric(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        let asked = async {
            while !wanted(self.metric(name).await) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asked)
            .await
            .unwrap_or_else(|_| panic!("in vain: {name}"));
    }

    /// Waits until no attempt is under way.
    pub async fn idle(&self) {
        self.service().idle().await;
    }

    /// Books without waiting for the meeting, and hands back how the booking stands after the first attempts.
    pub async fn book_and_look(&self, body: &Value) -> Value {
        self.book_preferring(Who::Desk, "respond-async", body).await.expect(202);
        self.service().idle().await;
        self.booking(body["bookingId"].as_str().unwrap()).await
    }

    /// A booking as the service tells it.
    pub async fn booking(&self, booking_id: &str) -> Value {
        self.get(Who::Desk, &format!("/v1/bookings/{booking_id}")).await.expect(200).json()
    }

    /// The kinds of the events in a booking's history, oldest first.
    pub async fn history(&self, booking_id: &str) -> Vec<String> {
        let page = self.history_items(booking_id).await;
        page.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The events in a booking's history, oldest first.
    pub async fn history_items(&self, booking_id: &str) -> Vec<Value> {
        let path = format!("/v1/bookings/{booking_id}/audit-events?limit=200");
        let page =
            self.get(Who::Auditor, &format!("{path}&sourceSystem=room-booking")).await.expect(200).json();
        page["items"].as_array().unwrap().clone()
    }

    /// Moves the clock on and resumes what is due then; says how many bookings that were.
    pub async fn resume_after(&self, wait: Duration) -> usize {
        self.service().idle().await;
        self.clock.advance(wait);
        self.service().resume_due().await.unwrap()
    }

    /// Counts the month's meetings.
    pub async fn look_at_quotas(&self) {
        self.service().look_at_quotas().await.unwrap();
    }

    /// Makes the rounds over meetings that Graph has not told of for this long; says how many were looked at.
    pub async fn compare_all(&self, unseen_for: Duration) -> usize {
        self.service().compare_all(unseen_for).await.unwrap()
    }

    /// Resumes what is due now; says how many bookings that were.
    pub async fn resume_due(&self) -> Result<usize, String> {
        self.service().resume_due().await
    }

    /// The status of a path at the operators' door.
    pub async fn probe(&self, path: &str) -> u16 {
        reqwest::get(self.admin_url(path)).await.unwrap().status().as_u16()
    }

    /// Waits until `/readyz` answers like this.
    pub async fn until_readyz(&self, status: u16) {
        let asked = async {
            while self.probe("/readyz").await != status {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asked)
            .await
            .unwrap_or_else(|_| panic!("never {status}"));
    }

    /// Ends the test: the service stops, and nothing due is left behind.
    pub async fn end(self) {
        let left: Vec<(String, String)> =
            sqlx::query_as("select source_system, booking_id from booking where due_at is not null")
                .fetch_all(&self.pool)
                .await
                .unwrap();
        assert_eq!(left, [], "bookings are left due");
        self.end_with_work_left().await;
    }

    /// Ends a test that leaves bookings due on purpose.
    pub async fn end_with_work_left(mut self) {
        self.pool.close().await;
        // Its idle connections would be waited for.
        self.http = None;
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(
            self.service.is_none() || std::thread::panicking(),
            "a TestApp is ended by end(), which checks that nothing due is left behind"
        );
    }
}

fn environment(simulator: &Simulator, database_url: &str, keys: &Path) -> Vec<(String, String)> {
    let settings = simulator.settings();
    [
        ("HTTP__ADDRESS", "127.0.0.1:0"),
        ("HTTP__ADMIN_ADDRESS", "127.0.0.1:0"),
        ("HTTP__SHUTDOWN_SECONDS", "5"),
        ("HTTP__DRAIN_SECONDS", "0"),
        ("DATABASE__URL", database_url),
        ("DATABASE__CONNECTIONS_MAX", "4"),
        ("GRAPH__TENANT_ID", &settings.tenant_id),
        ("GRAPH__CLIENT_ID", &settings.client_id),
        ("GRAPH__CLIENT_SECRET", settings.client_secret.expose_secret()),
        ("GRAPH__ROOT_URL", simulator.graph_root_url()),
        ("GRAPH__LOGIN_URL", simulator.login_url()),
        ("ACCESS__API_KEYS_FILE", keys.to_str().unwrap()),
    ]
    .map(|(name, value)| (prefixed(name), value.to_owned()))
    .into()
}

fn prefixed(name: &str) -> String {
    format!("MEETING_PROVISIONER__{name}")
}
