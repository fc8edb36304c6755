//! An answer before it goes out, and what belongs to every exchange with Graph.

use serde_json::Value;
use uuid::Uuid;

use crate::clock::Timestamp;

/// An answer before it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GraphResponse {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl GraphResponse {
    /// An answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// An answer whose body is JSON already.
    pub(super) fn json_text(status: u16, body: String) -> Self {
        Self { status, headers: Vec::new(), body }.with_header("content-type", "application/json")
    }

    /// An answer with a JSON body.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// Adds a header.
    pub(super) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds the headers that every answer of Graph carries, unless a fault has set them.
    pub(super) fn with_graph_headers(mut self, exchange: &Exchange) -> Self {
        let own = [
            ("request-id", Some(exchange.request_id.to_string())),
            ("client-request-id", exchange.client_request_id.clone()),
            ("x-ms-ags-diagnostic", Some(AGS_DIAGNOSTIC.to_owned())),
        ];
        for (name, value) in own {
            let is_set = self.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
            if let (false, Some(value)) = (is_set, value) {
                self = self.with_header(name, value);
            }
        }
        self
    }
}

/// Which machine answered; Microsoft's support asks for it.
const AGS_DIAGNOSTIC: &str = concat!(
    r#"{"ServerInfo":{"DataCenter":"Simulated Region","Slice":"E","Ring":"0","#,
    r#""ScaleUnit":"000","RoleInstance":"SIMULATOR00000001"}}"#
);

/// The ids of one exchange: sent in headers and in every error.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) now: Timestamp,
    pub(super) request_id: Uuid,
    pub(super) client_request_id: Option<String>,
}
