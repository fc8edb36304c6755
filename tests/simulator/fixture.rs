//! A simulator of its own for each test, and a caller that knows how to ask.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Simulator, SimulatorSettings};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// The organizer that most tests use.
pub const ANNA: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
/// Another organizer.
pub const BERT: &str = "2e46a3f7-0dbc-45be-9e6b-c85d25831111";
/// Long enough for anything on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A simulator and a caller who holds a token.
pub struct Fixture {
    pub simulator: Simulator,
    pub http: reqwest::Client,
    pub token: String,
}

/// A caller without time-outs, which never calls again or elsewhere on its own.
#[expect(clippy::disallowed_methods, reason = "a test talks to the simulator directly")]
pub fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.retry(reqwest::retry::never()).build().unwrap()
}

impl Fixture {
    pub async fn start() -> Self {
        Self::start_with(SimulatorSettings::default()).await
    }

    pub async fn start_with(settings: SimulatorSettings) -> Self {
        let simulator = Simulator::start(settings).await.unwrap();
        let mut fixture = Self { simulator, http: http(), token: String::new() };
        let answer = fixture.ask_token(&[]).await;
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        body["access_token"].as_str().unwrap().clone_into(&mut fixture.token);
        fixture
    }

    /// Asks for a token, with some fields of the form replaced.
    pub async fn ask_token(&self, replaced: &[(&str, &str)]) -> Response {
        self.ask_token_of(&self.simulator.settings().tenant_id, replaced).await
    }

    pub async fn ask_token_of(&self, tenant: &str, replaced: &[(&str, &str)]) -> Response {
        let scope = format!("{}/.default", self.simulator.graph_root_url());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.simulator.settings().client_id),
            ("client_secret", "simulator-secret"),
            ("scope", &scope),
        ];
        for (name, value) in &mut form {
            if let Some((_, other)) = replaced.iter().find(|(replaced, _)| replaced == name) {
                *value = other;
            }
        }
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.simulator.login_url());
        self.http.post(url).form(&form).send().await.unwrap()
    }

    /// Sends a Graph call; `path` begins after the root.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.simulator.graph_root_url());
        let request = self.http.request(method, url).bearer_auth(&self.token);
        match body {
            Some(body) => request.json(body).send().await,
            None => request.send().await,
        }
    }

    pub async fn create_or_get(&self, organizer: &str, body: &Value) -> reqwest::Result<Response> {
        self.send(Method::POST, &format!("/v1.0/users/{organizer}/onlineMeetings/createOrGet"), Some(body))
            .await
    }

    /// createOrGet for Anna, with its status and body.
    pub async fn create(&self, external_id: &str) -> (u16, Value) {
        read(self.create_or_get(ANNA, &booking(external_id)).await.unwrap()).await
    }

    /// A call on one meeting of Anna's, with its status and body.
    pub async fn item(&self, method: Method, id: &str, body: Option<&Value>) -> (u16, Value) {
        let path = format!("/v1.0/users/{ANNA}/onlineMeetings/{}", encoded(id));
        read(self.send(method, &path, body).await.unwrap()).await
    }

    /// Steers the simulator by its control endpoint.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/_simulator/{path}", self.simulator.graph_root_url());
        read(self.http.request(method, url).json(body).send().await.unwrap()).await
    }
}

/// Status and JSON body; null where the body is empty.
pub async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    (status, body)
}

/// A body for createOrGet with one attendee.
pub fn booking(external_id: &str) -> Value {
    json!({
        "externalId": external_id,
        "subject": "Quarterly review",
        "startDateTime": "2026-12-01T09:00:00+01:00",
        "endDateTime": "2026-12-01T08:30:00.3524945Z",
        "participants": { "attendees": [attendee("test1@contoso.com")] },
    })
}

pub fn attendee(upn: &str) -> Value {
    json!({ "upn": upn, "role": "presenter", "identity": { "user": { "id": BERT } } })
}

/// An id percent-encoded down to the last special character.
pub fn encoded(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}
