//! Sends one request and reads its answer, within limits of time and size.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use url::Url;

use super::sent_secrets::SentSecrets;
use super::text::cleaned_chain;
use crate::clock::{Clock, Timestamp};
use crate::outbound::{self, ClientFault, Timeouts};

/// Longest answer that is read, in bytes. A meeting with all its 750 attendees stays below a tenth of it.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Room for an ordinary answer.
const BODY_BYTES_EXPECTED: usize = 8 << 10;
/// While every answer is a 503, new connections are made this often and not for each of them.
const RENEWAL_PERIOD: Duration = Duration::from_secs(1);

/// An answer whose head arrived.
#[derive(Debug)]
pub(super) struct RawResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body, or what broke before its end.
    pub(super) body: Result<Vec<u8>, String>,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// No connection was made, so nothing can have been carried out.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have arrived.
    #[error("sent, but no answer came: {0}")]
    Lost(String),
}

/// The connections to one host. After a 503 the next call gets a new one, as Microsoft advises: it may lead to
/// another machine.
#[derive(Debug)]
pub(super) struct HttpClients {
    destination: Url,
    timeouts: Timeouts,
    build: BuildClient,
    current: RwLock<Numbered>,
}

/// Makes a client for one destination.
type BuildClient = fn(&Url, Timeouts) -> Result<reqwest::Client, ClientFault>;

#[derive(Debug, Clone)]
struct Numbered {
    client: reqwest::Client,
    number: u64,
    renewed_at: Option<Timestamp>,
}

impl HttpClients {
    /// Connections to `destination`; none is made yet.
    pub(super) fn to(destination: &Url, timeouts: Timeouts) -> Result<Self, ClientFault> {
        Self::built_by(outbound::client, destination, timeouts)
    }

    /// Connections to a metadata endpoint, which is near and asked through no proxy; none is made yet.
    pub(super) fn to_metadata(destination: &Url, timeouts: Timeouts) -> Result<Self, ClientFault> {
        Self::built_by(outbound::metadata_client, destination, timeouts)
    }

    fn built_by(build: BuildClient, destination: &Url, timeouts: Timeouts) -> Result<Self, ClientFault> {
        let client = build(destination, timeouts)?;
        let current = RwLock::new(Numbered { client, number: 0, renewed_at: None });
        Ok(Self { destination: destination.clone(), timeouts, build, current })
    }

    /// The number of the connections that are in use now.
    pub(super) fn number(&self) -> u64 {
        self.current.read().unwrap_or_else(PoisonError::into_inner).number
    }

    /// Sends a request and reads the answer, without the secrets that the request carried.
    pub(super) async fn exchange(
        &self,
        request: reqwest::Request,
        clock: &dyn Clock,
    ) -> Result<RawResponse, NoAnswer> {
        let (client, number) = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            (current.client.clone(), current.number)
        };
        // Before any text of the answer is cut: half a secret would not be found any more.
        let sent = SentSecrets::of(&request);
        let response = client.execute(request).await.map_err(no_answer)?;
        let status = response.status();
        let headers = sent.scrub_headers(response.headers().clone());
        let body = body(response).await.map(|body| sent.scrub_bytes(body));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.renew(number, clock.now()).await;
        }
        Ok(RawResponse { status, headers, body })
    }

    /// Replaces the client numbered `used`, and with it all its connections, unless another call just did.
    async fn renew(&self, used: u64, now: Timestamp) {
        let due = |current: &Numbered| {
            current.number == used && current.renewed_at.is_none_or(|at| now - at >= RENEWAL_PERIOD)
        };
        if !due(&self.current.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let (build, destination, timeouts) = (self.build, self.destination.clone(), self.timeouts);
        // Reading the root certificates is too slow for a thread that serves calls.
        let made = tokio::task::spawn_blocking(move || build(&destination, timeouts)).await;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let (Ok(Ok(client)), true) = (made, due(&current)) {
            *current = Numbered { client, number: used + 1, renewed_at: Some(now) };
        }
    }
}

fn no_answer(fault: reqwest::Error) -> NoAnswer {
    let not_sent = fault.is_connect() || fault.is_builder();
    let text = cleaned_chain(&fault.without_url());
    if not_sent { NoAnswer::NotSent(text) } else { NoAnswer::Lost(text) }
}

async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let too_long = || format!("the answer is longer than {BODY_BYTES_MAX} bytes");
    let announced = response.content_length().map(usize::try_from);
    let announced = announced.transpose().map_err(|_| too_long())?.unwrap_or(BODY_BYTES_EXPECTED);
    if announced > BODY_BYTES_MAX {
        return Err(too_long());
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|fault| cleaned_chain(&fault.without_url()))? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
