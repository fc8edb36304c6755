//! Which application permission opens which endpoint.
//!
//! Facts: the table "Permissions" of each of Microsoft's reference pages.

use super::graph_refusal::GraphRefusal;
use super::route::{MeetingVerb, Route};

const MEETINGS_WRITE: &str = "OnlineMeetings.ReadWrite.All";
const MEETINGS_READ: &str = "OnlineMeetings.Read.All";
const USERS: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];

/// Checks that a token with these permissions opens the endpoint. What is nowhere needs none.
pub(super) fn check(route: &Route, roles: &[String]) -> Result<(), GraphRefusal> {
    let holds = |role: &str| roles.iter().any(|held| held == role);
    match route {
        Route::User { .. } if !USERS.iter().any(|role| holds(role)) => {
            Err(GraphRefusal::insufficient_privileges())
        }
        Route::Meeting { verb: MeetingVerb::Get, .. } if holds(MEETINGS_READ) => Ok(()),
        Route::Meeting { .. } | Route::CreateOrGet { .. } if !holds(MEETINGS_WRITE) => {
            Err(GraphRefusal::missing_role(MEETINGS_WRITE))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_wants_its_permission() {
        let opens = |method: &str, path: &str, role: &str| {
            check(&Route::of(method, path), &[role.to_owned()]).is_ok()
        };
        let (create, item) = ("/v1.0/users/u/onlineMeetings/createOrGet", "/v1.0/users/u/onlineMeetings/m");
        assert!(opens("POST", create, MEETINGS_WRITE) && !opens("POST", create, MEETINGS_READ));
        assert!(opens("GET", item, MEETINGS_WRITE) && opens("GET", item, MEETINGS_READ));
        assert!(opens("PATCH", item, MEETINGS_WRITE) && !opens("PATCH", item, MEETINGS_READ));
        assert!(opens("GET", "/v1.0/users/u", "Directory.Read.All"));
        assert!(!opens("GET", "/v1.0/users/u", MEETINGS_WRITE));
    }
}
