//! Graph's refusals, in the OData error envelope.

use serde_json::json;

use super::graph_response::{Exchange, GraphResponse};
use super::graph_time;

/// A refusal by Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GraphRefusal {
    pub(super) status: u16,
    code: &'static str,
    pub(super) message: String,
    headers: Vec<(&'static str, String)>,
}

impl GraphRefusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 400: the request itself is wrong.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401: the token is missing, unknown or expired. The challenge is the one Graph sends.
    pub(super) fn invalid_token(message: &str) -> Self {
        let challenge = "Bearer realm=\"\", \
            authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
            client_id=\"00000003-0000-0000-c000-000000000000\"";
        Self::new(401, "InvalidAuthenticationToken", message).with_header("www-authenticate", challenge)
    }

    /// 404 on the collection: no such organizer, or a UPN where an object id belongs. Graph says no more than this.
    pub(super) fn unknown_organizer() -> Self {
        Self::new(404, "UnknownError", "")
    }

    /// 404 on one meeting.
    pub(super) fn unknown_meeting() -> Self {
        Self::new(404, "NotFound", "The requested online meeting was not found.")
    }

    /// 403: the application may not act for this organizer.
    pub(super) fn no_access_policy(client_id: &str, organizer: &str) -> Self {
        let message =
            format!("No application access policy found for this app: {client_id} on the user: {organizer}.");
        Self::new(403, "Forbidden", message)
    }

    /// 403: the token lacks an application permission.
    pub(super) fn missing_role(role: &str) -> Self {
        let message = format!("Missing role permissions on the request. API requires one of '{role}'.");
        Self::new(403, "Forbidden", message)
    }

    /// 403 of the directory: the token lacks an application permission, and no more is said.
    pub(super) fn insufficient_privileges() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", message)
    }

    /// 403 for another reason: a guest, or no licence for Teams.
    pub(super) fn organizer_refused(organizer: &str) -> Self {
        let message =
            format!("The user {organizer} has no Teams licence and can't organize online meetings.");
        Self::new(403, "Forbidden", message)
    }

    /// 404 in the directory.
    pub(super) fn unknown_user(user: &str) -> Self {
        let message = format!(
            "Resource '{user}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// 405.
    pub(super) fn wrong_method(allow: &'static str) -> Self {
        Self::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
            .with_header("allow", allow)
    }

    /// What Graph says when something before or behind it fails with `status`.
    pub(super) fn of_status(status: u16) -> Self {
        let (code, message) = match status {
            401 => return Self::invalid_token("Access token validation failure."),
            409 => ("Conflict", "The resource was changed by another call at the same time."),
            429 => ("TooManyRequests", "Too many requests"),
            500 => ("InternalServerError", "An internal server error occurred."),
            502 => ("BadGateway", "The gateway got no usable answer."),
            503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
            _ => ("UnknownError", ""),
        };
        Self::new(status, code, message)
    }

    /// The refusal as it goes out.
    pub(super) fn into_answer(self, exchange: &Exchange) -> GraphResponse {
        let request_id = exchange.request_id.to_string();
        let client_request_id = exchange.client_request_id.as_deref().unwrap_or(&request_id);
        let body = json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": graph_time::write_error_date(exchange.now),
                    "request-id": request_id,
                    "client-request-id": client_request_id,
                }
            }
        });
        let answer = GraphResponse::json(self.status, &body);
        self.headers.into_iter().fold(answer, |answer, (name, value)| answer.with_header(name, value))
    }
}
