//! What an administrator should run, grant or check about an organizer. One text each, wherever it is said.

use crate::booking::{Organizer, UserId};

/// The name that the access policy gets in the commands for an administrator.
const POLICY_NAME: &str = "meeting-provisioner";

/// For an organizer whom no access policy covers: commands that can be pasted.
#[must_use]
pub fn grant_access_policy(client_id: &str, user_id: Option<UserId>, organizer: &Organizer) -> String {
    format!(
        "A Teams administrator runs, in the PowerShell module MicrosoftTeams:\n\
         New-CsApplicationAccessPolicy -Identity {POLICY_NAME} -AppIds {client_id}\n\
         Grant-CsApplicationAccessPolicy -PolicyName {POLICY_NAME} -Identity {organizer}\n\
         It takes up to 30 minutes to take effect. (The first line only if there is no such policy yet.)",
        organizer = organizer_in_a_command(user_id, organizer),
    )
}

/// For an organizer whom Graph doesn't know.
#[must_use]
pub fn check_organizer() -> String {
    "Check that the organizer is the object id or user principal name of a user in this service's tenant \
     who is not deleted."
        .to_owned()
}

/// For an organizer with whom Graph forbids to deal, for another reason than a policy.
#[must_use]
pub fn check_licence_and_consent(client_id: &str) -> String {
    format!(
        "Check that the organizer is a member of the tenant (not a guest) with a licence for Teams, and that \
         the application {client_id} has the application permission OnlineMeetings.ReadWrite.All (for an \
         organizer given by user principal name also User.Read.All) with an administrator's consent."
    )
}

/// For an application permission that is not granted.
#[must_use]
pub fn grant_permission(client_id: &str, permission: &str) -> String {
    format!(
        "An Entra administrator adds the application permission {permission} of Microsoft Graph to the application \
         {client_id} (\"API permissions\") and grants an administrator's consent. It counts from the next token on, \
         which this service fetches within a day, or when it is restarted."
    )
}

/// The organizer as it may stand in a shell command that an operator pastes: its object id, or a user principal name
/// of harmless characters only, because a caller chose it.
#[must_use]
pub fn organizer_in_a_command(user_id: Option<UserId>, organizer: &Organizer) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+');
    match (user_id, organizer) {
        (Some(id), _) | (None, &Organizer::UserId(id)) => id.to_string(),
        (None, Organizer::Upn(upn)) if upn.as_str().chars().all(harmless) => upn.as_str().to_owned(),
        (None, Organizer::Upn(_)) => "<the organizer's object id>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::Upn;

    /// A caller can't smuggle a command into what an administrator pastes.
    #[test]
    fn a_remedy_holds_no_organizer_that_a_shell_would_read() {
        for (upn, expected) in [
            ("o.brien@contoso.com", "o.brien@contoso.com"),
            ("a;calc@contoso.com", "<the organizer's object id>"),
            ("$(calc)@contoso.com", "<the organizer's object id>"),
        ] {
            let organizer = Organizer::Upn(Upn::recorded(upn).unwrap());
            assert_eq!(organizer_in_a_command(None, &organizer), expected);
        }
    }
}
