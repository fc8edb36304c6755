//! The service under test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meeting_provisioner::clock::{Clock, ManualClock};
use meeting_provisioner::command::{BackgroundWork, Replica};
use meeting_provisioner::config::{CredentialSetting, SecretSetting, Settings};
use meeting_provisioner::msgraph_simulator::{MeetingEntry, Simulator};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;

use super::api_response::ApiResponse;
use super::app_builder::{TestAppBuilder, prefixed};
use super::keys::Who;
use super::log_watch;
use super::postgres::TestDatabase;
use super::postgres_proxy::PostgresProxy;
use super::settings_file::SettingsFile;
use super::until::{until, until_within};

/// A service of a test's own: its database, its simulator, its clock.
pub struct TestApp {
    /// Graph, as this service sees it.
    pub simulator: Arc<Simulator>,
    /// The time; it stands still until the test moves it.
    pub clock: Arc<ManualClock>,
    /// The database behind the service, which tests read and change past the service, as its owner.
    pub pool: PgPool,
    service: Option<Replica>,
    http: Option<reqwest::Client>,
    surroundings: Surroundings,
}

/// What all replicas of one test share.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) simulator: Arc<Simulator>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) database: Arc<TestDatabase>,
    pub(super) proxy: Option<Arc<PostgresProxy>>,
    /// Holds the keys' file and the settings file.
    pub(super) _folder: Arc<TempDir>,
    pub(super) file: SettingsFile,
    /// The settings, as environment variables with their prefix.
    pub(super) environment: Vec<(String, String)>,
}

impl TestApp {
    /// Starts a service with the settings that most tests have.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts a service with other settings.
    pub fn builder() -> TestAppBuilder {
        TestAppBuilder::default()
    }

    /// Replaces the settings file; the next replica reads it.
    pub fn write_file(&self, text: &str) {
        self.surroundings.file.write(text);
    }

    /// Where the settings file is.
    pub fn settings_file(&self) -> &Path {
        self.surroundings.file.path()
    }

    /// The proxy of a service that was started behind one.
    pub fn proxy(&self) -> &PostgresProxy {
        self.surroundings.proxy.as_ref().expect("this service was started behind a proxy")
    }

    /// Starts another replica on the same database, simulator and clock.
    pub async fn another_replica(&self) -> Self {
        self.another_replica_with(&[]).await
    }

    /// The same with some settings of its own.
    pub async fn another_replica_with(&self, settings: &[(&str, &str)]) -> Self {
        let mut surroundings = self.surroundings.clone();
        let settings = settings.iter().map(|(name, value)| (prefixed(name), (*value).to_owned()));
        surroundings.environment.extend(settings);
        Self::assemble(surroundings).await
    }

    pub(super) async fn assemble(surroundings: Surroundings) -> Self {
        let settings =
            Settings::load(Some(surroundings.file.path()), surroundings.environment.clone()).unwrap();
        log_watch::start();
        if let CredentialSetting::Secret { secret: SecretSetting::Written(secret), .. } =
            &settings.graph.credential.credential
        {
            log_watch::forbid(secret.expose_secret());
        }
        let clock: Arc<dyn Clock> = surroundings.clock.clone();
        let service = Replica::start(&settings, clock, BackgroundWork::Manual).await.unwrap();
        // Past the proxy and as the owner; a test may also have a server of its own, whose owner the service is.
        let url = if settings.database.migrate {
            settings.database.url.expose_secret()
        } else {
            &surroundings.database.url
        };
        let pool = PgPool::connect(url).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            simulator: Arc::clone(&surroundings.simulator),
            clock: Arc::clone(&surroundings.clock),
            pool,
            service: Some(service),
            http: Some(http),
            surroundings,
        }
    }

    /// The settings, as environment variables for a process of its own.
    pub fn environment(&self) -> &[(String, String)] {
        &self.surroundings.environment
    }

    fn service(&self) -> &Replica {
        self.service.as_ref().expect("the service runs until the test ends")
    }

    /// The URL of a path on the public port.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service().public_address())
    }

    /// The URL of a path on the operators' port.
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service().admin_address())
    }

    /// A request to the public port, to be completed and sent.
    pub fn request(&self, who: Who, method: Method, path: &str) -> reqwest::RequestBuilder {
        let http = self.http.as_ref().expect("the service runs until the test ends");
        let request = http.request(method, self.url(path));
        match who.key() {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// `GET` of a path.
    pub async fn get(&self, who: Who, path: &str) -> ApiResponse {
        ApiResponse::read(self.request(who, Method::GET, path).send().await.unwrap()).await
    }

    /// `GET` of a path with a `Prefer` header.
    pub async fn get_preferring(&self, who: Who, prefer: &str, path: &str) -> ApiResponse {
        let request = self.request(who, Method::GET, path).header("Prefer", prefer);
        ApiResponse::read(request.send().await.unwrap()).await
    }

    /// `POST /v1/bookings`, with the service's default wait.
    pub async fn book(&self, who: Who, body: &Value) -> ApiResponse {
        ApiResponse::read(self.request(who, Method::POST, "/v1/bookings").json(body).send().await.unwrap())
            .await
    }

    /// The same with a `Prefer` header.
    pub async fn book_preferring(&self, who: Who, prefer: &str, body: &Value) -> ApiResponse {
        let request = self.request(who, Method::POST, "/v1/bookings").header("Prefer", prefer).json(body);
        ApiResponse::read(request.send().await.unwrap()).await
    }

    /// `PUT /v1/bookings/{id}` with the id that the body names.
    pub async fn declare(&self, body: &Value) -> ApiResponse {
        self.put(body["bookingId"].as_str().unwrap(), body, &[]).await
    }

    /// The same with `If-Match`.
    pub async fn declare_if(&self, condition: &str, body: &Value) -> ApiResponse {
        self.put(body["bookingId"].as_str().unwrap(), body, &[("If-Match", condition)]).await
    }

    /// `PUT /v1/bookings/{path}` with these headers.
    pub async fn put(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> ApiResponse {
        let request = self.request(Who::Desk, Method::PUT, &format!("/v1/bookings/{path}")).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        ApiResponse::read(request.send().await.unwrap()).await
    }

    /// `DELETE /v1/bookings/{path}` with these headers.
    pub async fn delete(&self, path: &str, headers: &[(&str, &str)]) -> ApiResponse {
        let request = self.request(Who::Desk, Method::DELETE, &format!("/v1/bookings/{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        ApiResponse::read(request.send().await.unwrap()).await
    }

    /// Has a booking compared with its meeting, so long after Graph's last word that it is asked again.
    pub async fn check(&self, booking_id: &str) -> ApiResponse {
        self.check_preferring("wait=10", booking_id).await
    }

    /// The same with a header `Prefer`.
    pub async fn check_preferring(&self, prefer: &str, booking_id: &str) -> ApiResponse {
        self.clock.advance(Duration::from_secs(5));
        let path = format!("/v1/bookings/{booking_id}/check");
        let request = self.request(Who::Desk, Method::POST, &path).header("Prefer", prefer);
        ApiResponse::read(request.send().await.unwrap()).await
    }

    /// A metric's value, where it has no labels or they are part of the name; 0 while nothing is counted.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = reqwest::get(self.admin_url("/metrics")).await.unwrap().text().await.unwrap();
        log_watch::look_at(&text);
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until this replica listens for notifications.
    pub async fn until_listening(&self) {
        self.until_metric("meeting_provisioner_listening", |value| value > 0.0).await;
    }

    /// Waits until a metric is as wanted.
    pub async fn until_metric(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        until(name, async || wanted(self.metric(name).await)).await;
    }

    /// Waits until no attempt is under way.
    pub async fn idle(&self) {
        self.service().idle().await;
    }

    /// Books without waiting for the meeting, and returns the booking as it is after the first attempts.
    pub async fn book_and_look(&self, body: &Value) -> Value {
        self.book_preferring(Who::Desk, "respond-async", body).await.expect(202);
        self.service().idle().await;
        self.booking(body["bookingId"].as_str().unwrap()).await
    }

    /// The meetings at Graph that are not removed, as Graph tells of them.
    pub fn live_meetings(&self) -> Vec<Value> {
        let meetings = self.simulator.meetings();
        meetings.iter().filter(|meeting| meeting.deleted_at.is_none()).map(MeetingEntry::content).collect()
    }

    /// A booking as the service returns it.
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

    /// Waits until the history of all bookings, oldest first, lists at least this many events. An event is listed there once
    /// no older transaction is open anywhere on the server, and the tests beside this one hold some open.
    pub async fn history_is_listed(&self, at_least: usize) {
        let path = "/v1/audit-events?order=asc&limit=200";
        until_within(Duration::from_mins(1), "the events are listed", async || {
            let page = self.get(Who::Auditor, path).await.expect(200).json();
            page["items"].as_array().unwrap().len() >= at_least
        })
        .await;
    }

    /// Moves the clock on and resumes what is due then; returns how many bookings that were.
    pub async fn resume_after(&self, wait: Duration) -> usize {
        self.service().idle().await;
        self.clock.advance(wait);
        self.service().resume_due().await.unwrap()
    }

    /// Counts the month's meetings.
    pub async fn look_at_quotas(&self) {
        self.service().look_at_quotas().await.unwrap();
    }

    /// Compares all meetings that were not seen at Graph for this long; returns how many were read.
    pub async fn compare_all(&self, unseen_for: Duration) -> usize {
        self.service().compare_all(unseen_for).await.unwrap()
    }

    /// Resumes what is due now; returns how many bookings that were.
    pub async fn resume_due(&self) -> Result<usize, String> {
        self.service().resume_due().await
    }

    /// The status of a path on the operators' port.
    pub async fn probe(&self, path: &str) -> u16 {
        reqwest::get(self.admin_url(path)).await.unwrap().status().as_u16()
    }

    /// Waits until `/readyz` answers like this.
    pub async fn until_readyz(&self, status: u16) {
        until(&format!("/readyz {status}"), async || self.probe("/readyz").await == status).await;
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
        log_watch::assert_nothing_leaked();
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
