//! Authenticates a request of actix: the request becomes a caller.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpMessage, HttpRequest, web};

use super::authentication_fault::{AccessFault, AuthenticationFault};
use super::authenticator::Authenticator;
use super::caller::Caller;
use super::client_certificates::PeerCertificate;

/// The header `WWW-Authenticate` of a 401 where no credential was sent (RFC 6750, 3).
pub const CHALLENGE: &str = "Bearer realm=\"meeting-provisioner\"";
/// The same where one was sent (RFC 6750, 3.1). It does not say why it is not accepted.
pub const CHALLENGE_INVALID: &str = "Bearer realm=\"meeting-provisioner\", error=\"invalid_token\"";

/// What became of a request's credential, kept with the request: it is authenticated once, however often it is asked who
/// sent it.
#[derive(Clone)]
struct Authentication(Result<Caller, AuthenticationFault>);

/// The caller that sent this request. The app's data must hold a `web::Data<Authenticator>`; without one every request is
/// refused.
pub async fn caller(request: &HttpRequest) -> Result<Caller, AccessFault> {
    let known = request.extensions().get::<Authentication>().cloned();
    let found = if let Some(Authentication(known)) = known {
        known
    } else {
        let found = authenticate(request).await;
        request.extensions_mut().insert(Authentication(found.clone()));
        found
    };
    found.map_err(AccessFault::Unauthenticated)
}

/// Counts that a request was refused.
pub fn note_refusal(request: &HttpRequest, fault: &AuthenticationFault) {
    if let Some(authenticator) = request.app_data::<web::Data<Authenticator>>() {
        authenticator.note_refusal(fault);
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Caller, AuthenticationFault> {
    let authenticator =
        request.app_data::<web::Data<Authenticator>>().ok_or(AuthenticationFault::NoAuthenticator)?;
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().map(|value| value.to_str()).transpose();
    let certificate = request.conn_data::<PeerCertificate>().and_then(PeerCertificate::der);
    // The certificate is the connection's, and says who calls where the request itself doesn't.
    if let (Ok(None), Some(der)) = (&header, certificate) {
        return authenticator.caller_of_certificate(der);
    }
    // Two credentials are none: a proxy in between might have checked the other one.
    match (header, headers.next()) {
        (Ok(header), None) => authenticator.authenticate(header).await,
        _ => Err(AuthenticationFault::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::test::TestRequest;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::access::{ApiKeys, CallerName, NewApiKey, Role};
    use crate::booking::SourceSystem;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn a_request_becomes_a_caller_or_a_fault() {
        let reader = Caller {
            name: CallerName::parse("reader").unwrap(),
            source_system: SourceSystem::parse("crm").unwrap(),
            roles: [Role::BookingsRead].into_iter().collect(),
        };
        let key = NewApiKey::generate(reader.clone()).unwrap();
        let authenticator =
            web::Data::new(Authenticator::of(ApiKeys::parse(&key.block()).unwrap(), Arc::new(SystemClock)));
        let header = (AUTHORIZATION, format!("Bearer {}", key.text().expose_secret()));
        let request = || TestRequest::default().app_data(authenticator.clone());
        let unauthenticated = |fault| Err(AccessFault::Unauthenticated(fault));

        let known = request().insert_header(header.clone()).to_http_request();
        assert_eq!(caller(&known).await, Ok(reader));

        let without = request().to_http_request();
        assert_eq!(caller(&without).await, unauthenticated(AuthenticationFault::NoCredential));
        let twice = request().append_header(header.clone()).append_header(header.clone()).to_http_request();
        assert_eq!(caller(&twice).await, unauthenticated(AuthenticationFault::Unreadable));
        let bytes = request().insert_header((AUTHORIZATION, &b"Bearer \xff"[..])).to_http_request();
        assert_eq!(caller(&bytes).await, unauthenticated(AuthenticationFault::Unreadable));
        let unguarded = TestRequest::default().insert_header(header).to_http_request();
        assert_eq!(caller(&unguarded).await, unauthenticated(AuthenticationFault::NoAuthenticator));
    }
}
