//! What `doctor` and readiness ask: is there a token, is there a Graph?

use reqwest::{Method, Request};
use url::Url;

use super::answerer::is_graphs;
use super::credential::CredentialStatus;
use super::exchange::NoAnswer;
use super::microsoft_graph::MicrosoftGraph;
use super::text::clean;
use super::token_failure::TokenFailure;
use crate::clock::Timestamp;
use crate::meeting::CallKind;

/// Why Graph can't be used, seen from the network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachFault {
    /// Nothing answered.
    #[error("nothing answers at {address}: {message}")]
    Silent {
        /// What was asked.
        address: String,
        /// What broke.
        message: String,
    },
    /// Something answered with what Graph in working order would not say.
    #[error("{address} answered {status}, which Graph in working order doesn't")]
    Strange {
        /// What was asked.
        address: String,
        /// HTTP status.
        status: u16,
    },
    /// Something answered that isn't Graph.
    #[error(
        "what answers {status} at {address} is not Graph: a gateway, a proxy or a login page stands before it"
    )]
    Foreign {
        /// What was asked.
        address: String,
        /// HTTP status.
        status: u16,
    },
}

impl MicrosoftGraph {
    /// Fetches a token, or takes the one in use, and says until when it is good.
    pub async fn check_token(&self) -> Result<Timestamp, TokenFailure> {
        self.tokens.current().await.map(|token| token.expires_at)
    }

    /// What is known of the credential for tokens.
    #[must_use]
    pub fn credential_status(&self) -> CredentialStatus {
        self.tokens.credential_status()
    }

    /// Reads the credential's files again, so that what is wrong with them is told before the next token is asked for.
    pub async fn read_credential(&self) {
        self.tokens.read_credential().await;
    }

    /// Asks Graph for something without a token. Its refusal (401) shows that it is there.
    pub async fn check_reachable(&self) -> Result<(), ReachFault> {
        let address = self.requests.probe_url();
        let silent = |message: &str| ReachFault::Silent { address: address.clone(), message: clean(message) };
        let url = Url::parse(&address).map_err(|fault| silent(&fault.to_string()))?;
        match self.connections.exchange(Request::new(Method::GET, url), &*self.clock).await {
            Ok(answer) if !is_graphs(CallKind::FindOrganizer, &answer) => {
                Err(ReachFault::Foreign { address, status: answer.status.as_u16() })
            }
            Ok(answer) if answer.status.is_success() || answer.status.is_client_error() => Ok(()),
            Ok(answer) => Err(ReachFault::Strange { address, status: answer.status.as_u16() }),
            Err(NoAnswer::NotSent(message) | NoAnswer::Lost(message)) => Err(silent(&message)),
        }
    }
}
