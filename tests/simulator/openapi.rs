//! Answers and requests held against Microsoft's own metadata.

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{ANNA, Fixture, encoded, read};
use crate::microsofts_metadata::{COLLECTION, ITEM, faults, schema, slice};

/// Microsoft's own example of createOrGet; the chat belongs to beta.
fn example(version: &str) -> Value {
    let mut body = json!({
        "startDateTime": "2020-02-06T01:49:21.3524945+00:00",
        "endDateTime": "2020-02-06T02:19:21.3524945+00:00",
        "subject": "Create a meeting with customId provided",
        "externalId": "7eb8263f-d0e0-4149-bb1c-1f0476083c56",
        "participants": { "attendees": [{
            "identity": { "user": { "id": "1f35f2e6-9cab-44ad-8d5a-b74c14720000" } },
            "role": "presenter",
            "upn": "test1@contoso.com",
        }] },
    });
    if version == "beta" {
        body["chatInfo"] = json!({ "threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2" });
    }
    body
}

#[tokio::test]
async fn every_answer_keeps_to_microsofts_metadata() {
    for version in ["v1.0", "beta"] {
        let Some(slice) = slice(version) else { continue };
        let fixture = Fixture::start().await;
        let create = format!("/{version}/users/{ANNA}/onlineMeetings/createOrGet");
        let body = example(version);
        let wanted = schema(&slice, &format!("{COLLECTION}/requestBody"));
        assert_eq!(faults(&slice, wanted, &body, ""), [""; 0]);
        let mut id = String::new();
        for status in ["201", "200"] {
            let answer = fixture.send(Method::POST, &create, Some(&body)).await.unwrap();
            assert_eq!(answer.status().as_str(), status);
            let meeting = read(answer).await.1;
            assert_eq!(
                faults(&slice, schema(&slice, &format!("{COLLECTION}/responses/{status}")), &meeting, ""),
                [""; 0]
            );
            assert_eq!(meeting["startDateTime"], "2020-02-06T01:49:21.3524945Z");
            meeting["id"].as_str().unwrap().clone_into(&mut id);
        }
        let item = format!("/{version}/users/{ANNA}/onlineMeetings/{}", encoded(&id));
        let change =
            json!({ "lobbyBypassSettings": { "scope": "organizer" }, "allowedPresenters": "organizer" });
        let wanted = schema(&slice, &format!("{ITEM}/patch/requestBody"));
        assert_eq!(faults(&slice, wanted, &change, ""), [""; 0]);
        for (method, name, body) in [(Method::GET, "get", None), (Method::PATCH, "patch", Some(&change))] {
            let meeting = read(fixture.send(method, &item, body).await.unwrap()).await.1;
            let wanted = schema(&slice, &format!("{ITEM}/{name}/responses/200"));
            assert_eq!(faults(&slice, wanted, &meeting, ""), [""; 0]);
        }
        let refusal = read(fixture.send(Method::POST, &create, Some(&json!({}))).await.unwrap()).await.1;
        let wanted = schema(&slice, "/components/responses/error");
        assert_eq!(faults(&slice, wanted, &refusal, ""), [""; 0]);
    }
}

#[tokio::test]
async fn create_or_get_takes_exactly_the_parameters_of_the_metadata() {
    for version in ["v1.0", "beta"] {
        let Some(slice) = slice(version) else { continue };
        let listed = schema(&slice, &format!("{COLLECTION}/requestBody"))["properties"].clone();
        let fixture = Fixture::start().await;
        let path = format!("/{version}/users/{ANNA}/onlineMeetings/createOrGet");
        let candidates =
            ["externalId", "subject", "startDateTime", "endDateTime", "participants", "chatInfo", "id"];
        for (index, name) in candidates.into_iter().enumerate() {
            let mut body =
                json!({ "externalId": index.to_string(), "startDateTime": "2020-01-01T00:00:00Z" });
            if name != "externalId" {
                body[name] = example("beta").get(name).cloned().unwrap_or_default();
            }
            let status = fixture.send(Method::POST, &path, Some(&body)).await.unwrap().status();
            assert_eq!(status == 201, listed.get(name).is_some(), "{version} {name}: {status}");
        }
    }
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let slice = json!({});
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": { "b": { "type": "string", "enum": ["x"] }, "c": { "type": "string", "format": "date-time" } },
    });
    let found = faults(&slice, &schema, &json!({ "b": "y", "c": "soon" }), "");
    assert_eq!(found.len(), 3, "{found:?}");
}
