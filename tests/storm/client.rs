//! Clients that time out, and send the same again to any replica until they are answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::chance::Chance;
use crate::keys::Who;
use crate::plot::{Client, ClientRequest, Plot};
use crate::scale::Scale;
use crate::storm_setup::StormSetup;

/// The links that the clients got, by booking and generation.
pub type Links = BTreeMap<(String, u64), BTreeSet<String>>;

/// All clients, so many of them at once.
pub struct Crowd {
    state: Arc<CrowdState>,
    answered: watch::Receiver<usize>,
    working: JoinSet<()>,
}

struct CrowdState {
    setup: Arc<StormSetup>,
    http: reqwest::Client,
    clients: Vec<Client>,
    next: AtomicUsize,
    answered: watch::Sender<usize>,
    links: Mutex<Links>,
    requests: AtomicUsize,
}

/// What an answer means to a client.
enum Meaning {
    /// It has what it asked for, or knows that it never will: something newer came before.
    Done,
    /// Not yet, or the outcome is unknown.
    Again,
}

impl Crowd {
    /// Lets them come.
    pub fn start(setup: Arc<StormSetup>, plot: &Plot, scale: &Scale) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (answered, seen) = watch::channel(0);
        let state = Arc::new(CrowdState {
            setup,
            http,
            clients: plot.clients.clone(),
            next: AtomicUsize::new(0),
            answered,
            links: Mutex::default(),
            requests: AtomicUsize::new(0),
        });
        let mut working = JoinSet::new();
        for number in 0..scale.clients_at_once {
            let chance = Chance::of(scale, &format!("client {number}"));
            working.spawn(Arc::clone(&state).serve_one_after_another(chance));
        }
        Self { state, answered: seen, working }
    }

    /// Waits until so many have been answered, but no longer than until then.
    pub async fn until_answered(&self, wanted: usize, until: Instant) {
        let mut answered = self.answered.clone();
        let _those_are_too_few =
            tokio::time::timeout_at(until, answered.wait_for(|count| *count >= wanted)).await;
    }

    /// How many have been answered.
    pub fn answered(&self) -> usize {
        *self.answered.borrow()
    }

    /// Waits until each of them has been answered, and returns the links that they got.
    pub async fn all_answered(mut self) -> Links {
        while let Some(ended) = self.working.join_next().await {
            ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        }
        assert_eq!(self.answered(), self.state.clients.len());
        eprintln!("storm: {} requests sent", self.state.requests.load(Ordering::Relaxed));
        std::mem::take(&mut self.state.links.lock().unwrap())
    }
}

impl CrowdState {
    async fn serve_one_after_another(self: Arc<Self>, mut chance: Chance) {
        while let Some(client) = self.clients.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            for request in &client.requests {
                self.until_done(client, request, &mut chance).await;
            }
            self.answered.send_modify(|answered| *answered += 1);
        }
    }

    async fn until_done(&self, client: &Client, request: &ClientRequest, chance: &mut Chance) {
        loop {
            self.requests.fetch_add(1, Ordering::Relaxed);
            if let Ok((status, body)) = self.send(client, request, chance).await
                && let Meaning::Done = self.understand(client, request, status, &body)
            {
                return;
            }
            tokio::time::sleep(chance.milliseconds(20, 300)).await;
        }
    }

    /// Sends it to any replica, dead or alive, and waits for an answer, but not long.
    async fn send(
        &self,
        client: &Client,
        request: &ClientRequest,
        chance: &mut Chance,
    ) -> reqwest::Result<(u16, Value)> {
        let place = chance.below(self.setup.addresses.len());
        let address = self.setup.addresses[place].read().await.clone();
        let (method, path, body) = match request {
            ClientRequest::Book(body) => (Method::POST, String::new(), Some(body)),
            ClientRequest::Declare(body) => (Method::PUT, format!("/{}", client.booking_id), Some(body)),
            ClientRequest::Cancel(sequence) => {
                (Method::DELETE, format!("/{}?sequence={sequence}", client.booking_id), None)
            }
        };
        let request = self.http.request(method, format!("http://{address}/v1/bookings{path}"));
        let request = request.bearer_auth(Who::Desk.key().unwrap()).timeout(chance.milliseconds(30, 2_000));
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    fn understand(&self, client: &Client, request: &ClientRequest, status: u16, body: &Value) -> Meaning {
        let code = body["code"].as_str().unwrap_or_default();
        match (request, status) {
            (ClientRequest::Cancel(_), 200) => Meaning::Done,
            (_, 200 | 201) => {
                let link = body["meeting"]["joinWebUrl"].as_str();
                let link =
                    link.unwrap_or_else(|| panic!("{} is done without a link: {body}", client.booking_id));
                let key = (client.booking_id.clone(), body["generation"].as_u64().unwrap());
                self.links.lock().unwrap().entry(key).or_default().insert(link.to_owned());
                Meaning::Done
            }
            (_, 202) => Meaning::Again,
            (_, 429 | 503) if body["retryable"] == true => Meaning::Again,
            (_, 409) if client.overtaken_by.contains(&code) => Meaning::Done,
            _ => panic!("{request:?} of {} was answered {status}: {body}", client.booking_id),
        }
    }
}
