//! The endpoints of a managed identity have Azure's shapes.

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use reqwest::Method;
use serde_json::Value;

use crate::fixture::{ANNA, Fixture, read};

async fn ask(fixture: &Fixture, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let root = fixture.simulator.graph_root_url();
    let request = fixture.http.get(format!("{root}{path}&resource={root}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    read(request.send().await.unwrap()).await
}

/// A token with numbers as texts, that Graph takes; and a refusal for everything that Azure refuses.
#[tokio::test]
async fn a_managed_identity_gets_its_token() {
    let mut fixture = Fixture::start().await;
    let client_id = fixture.simulator.settings().client_id.clone();
    let vm = "/metadata/identity/oauth2/token?api-version=2018-02-01";
    let app = "/msi/token?api-version=2019-08-01";
    let metadata = &[("Metadata", "true")][..];
    let identity = &[("X-IDENTITY-HEADER", fixture.simulator.identity_header())][..];
    for (path, headers) in [
        (vm.to_owned(), metadata),
        (format!("{vm}&client_id={client_id}"), metadata),
        (app.to_owned(), identity),
    ] {
        let (status, body) = ask(&fixture, &path, headers).await;
        assert_eq!(status, 200, "{body}");
        assert!(body["expires_on"].is_string(), "{body}");
        assert_eq!(body["expires_in"].is_string(), headers == metadata, "{body}");
        body["access_token"].as_str().unwrap().clone_into(&mut fixture.token);
        let user = fixture.send(Method::GET, &format!("/v1.0/users/{ANNA}"), None).await.unwrap();
        assert_eq!(user.status(), 200);
    }
    let forwarded = &[("Metadata", "true"), ("X-Forwarded-For", "10.0.0.1")][..];
    for (path, headers) in [
        (vm.to_owned(), &[][..]),
        (vm.to_owned(), forwarded),
        (vm.replace("2018-02-01", "2017-01-01"), metadata),
        (format!("{vm}&client_id=00000000-0000-0000-0000-00000000000f"), metadata),
        (app.to_owned(), metadata),
        (app.to_owned(), &[("X-IDENTITY-HEADER", "wrong")][..]),
    ] {
        let (status, body) = ask(&fixture, &path, headers).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_request".into()), "{path} {headers:?}");
    }
    for status in [404, 410, 429, 500] {
        let effect = Effect::FailedBeforeWork { status, retry_after: None };
        fixture.simulator.inject(InjectedFault::on(Operation::IdentityToken, effect));
        let (found, body) = ask(&fixture, vm, metadata).await;
        assert!(found == status && body["error"].is_string(), "{body}");
    }
}
