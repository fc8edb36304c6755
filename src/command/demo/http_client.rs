//! A booking system, as small as it can be.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use url::Url;

use super::stage::DemoStage;
use crate::outbound::{Timeouts, client};

/// A caller of the service, over HTTP like any other.
pub(super) struct DemoClient {
    http: reqwest::Client,
    root: String,
    key: String,
}

/// What the service answered.
pub(super) struct DemoResponse {
    pub(super) status: u16,
    pub(super) replayed: bool,
    pub(super) body: Value,
    pub(super) took: Duration,
}

impl DemoClient {
    pub(super) fn of(stage: &DemoStage) -> anyhow::Result<Self> {
        let root = format!("http://{}", stage.service.public_address());
        let timeouts = Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(40) };
        Ok(Self { http: client(&Url::parse(&root)?, timeouts)?, root, key: stage.key.clone() })
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) async fn book(&self, booking: &Value) -> anyhow::Result<DemoResponse> {
        self.send(self.http.post(format!("{}/v1/bookings", self.root)).json(booking)).await
    }

    /// Declares what a booking should be.
    pub(super) async fn declare(&self, booking_id: &str, booking: &Value) -> anyhow::Result<DemoResponse> {
        self.send(self.http.put(format!("{}/v1/bookings/{booking_id}", self.root)).json(booking)).await
    }

    /// Cancels a booking.
    pub(super) async fn cancel(&self, booking_id: &str) -> anyhow::Result<DemoResponse> {
        self.send(self.http.delete(format!("{}/v1/bookings/{booking_id}", self.root))).await
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<DemoResponse> {
        self.send(self.http.get(format!("{}{path}", self.root))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<DemoResponse> {
        let began = Instant::now();
        let response = request.bearer_auth(&self.key).send().await.context("the service does not answer")?;
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        let body = response.json().await.context("the service's answer is not JSON")?;
        Ok(DemoResponse { status, replayed, body, took: began.elapsed() })
    }
}
