//! Who may organize a meeting here, and under which name.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::graph_refusal::GraphRefusal;

/// The object id of an Entra user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// Reads an object id: 36 characters, in either case. A UPN is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 36 { Uuid::parse_str(text).ok().map(Self) } else { None }
    }
}

impl From<Uuid> for UserId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// How Graph treats an organizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrganizerState {
    /// Exists, and an application access policy lets our application act for them.
    Permitted,
    /// Exists, but there is no application access policy (or it has not propagated yet): 403.
    WithoutPolicy,
    /// A guest, or without a licence: 403, and no policy helps.
    Refused,
    /// No user has that id: 404.
    Unknown,
}

/// The users of the tenant: those that were declared, and a standing for all others.
#[derive(Debug)]
pub(super) struct Organizers {
    undeclared: OrganizerState,
    standings: HashMap<UserId, OrganizerState>,
    upns: HashMap<UserId, String>,
    ids: HashMap<String, UserId>,
    /// Names that were taken from their users and given to no other one. No user is made up for them.
    given_up: HashSet<String>,
}

impl Organizers {
    pub(super) fn new(undeclared: OrganizerState) -> Self {
        Self {
            undeclared,
            standings: HashMap::new(),
            upns: HashMap::new(),
            ids: HashMap::new(),
            given_up: HashSet::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.undeclared);
    }

    /// Declares a user's standing and, if given, the UPN.
    pub(super) fn declare(&mut self, user: UserId, standing: OrganizerState, upn: Option<&str>) {
        self.standings.insert(user, standing);
        if let Some(upn) = upn {
            self.name(user, upn);
        }
    }

    /// Gives a user a name. The former name is no user's from now on; a name that was another user's is that one's no more.
    pub(super) fn name(&mut self, user: UserId, upn: &str) {
        let former = self.upns.insert(user, upn.to_owned()).map(|former| former.to_lowercase());
        if let Some(former) = former.filter(|former| self.ids.get(former) == Some(&user)) {
            self.ids.remove(&former);
            self.given_up.insert(former);
        }
        let upn = upn.to_lowercase();
        self.given_up.remove(&upn);
        self.ids.insert(upn, user);
    }

    fn standing(&self, user: UserId) -> OrganizerState {
        self.standings.get(&user).copied().unwrap_or(self.undeclared)
    }

    /// The UPN of a user; one that was never declared is made up from the id.
    pub(super) fn upn(&self, user: UserId) -> String {
        self.upns.get(&user).cloned().unwrap_or_else(|| format!("{user}@simulated.example"))
    }

    /// The organizer in a meetings path, if the application may act for them. A UPN there is unknown to Graph.
    pub(super) fn organizer(&self, user: &str, client_id: &str) -> Result<UserId, GraphRefusal> {
        let id = UserId::parse(user).ok_or_else(GraphRefusal::unknown_organizer)?;
        match self.standing(id) {
            OrganizerState::Permitted => Ok(id),
            OrganizerState::WithoutPolicy => Err(GraphRefusal::no_access_policy(client_id, user)),
            OrganizerState::Refused => Err(GraphRefusal::organizer_refused(user)),
            OrganizerState::Unknown => Err(GraphRefusal::unknown_organizer()),
        }
    }

    /// Finds a user of the directory by object id or UPN. Where undeclared users exist, an unheard-of UPN gets an id,
    /// always the same one.
    pub(super) fn find(&mut self, user: &str) -> Option<UserId> {
        let folded = user.to_lowercase();
        let is_made_up = |user: &str| user.contains('@') && !self.given_up.contains(&folded);
        let found = match (UserId::parse(user), self.ids.get(&folded)) {
            (Some(id), _) => id,
            (None, Some(id)) => *id,
            (None, None) if self.undeclared == OrganizerState::Unknown || !is_made_up(user) => return None,
            (None, None) => {
                let id = UserId(Uuid::new_v5(&Uuid::NAMESPACE_URL, user.to_lowercase().as_bytes()));
                self.name(id, user);
                id
            }
        };
        (self.standing(found) != OrganizerState::Unknown).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

    #[test]
    fn an_undeclared_organizer_has_the_general_standing() {
        let mut organizers = Organizers::new(OrganizerState::Permitted);
        assert!(organizers.organizer(ANNA, "app").is_ok());
        assert!(organizers.organizer(&ANNA.to_uppercase(), "app").is_ok());
        organizers.declare(UserId::parse(ANNA).unwrap(), OrganizerState::WithoutPolicy, None);
        let refusal = organizers.organizer(ANNA, "app").unwrap_err();
        assert_eq!(refusal, GraphRefusal::no_access_policy("app", ANNA));
    }

    #[test]
    fn a_upn_is_found_in_the_directory_but_not_in_a_meetings_path() {
        let mut organizers = Organizers::new(OrganizerState::Permitted);
        let id = organizers.find("Anna@contoso.com").unwrap();
        assert_eq!(organizers.find("anna@CONTOSO.com"), Some(id));
        assert_eq!(organizers.upn(id), "Anna@contoso.com");
        let refusal = organizers.organizer("anna@contoso.com", "app").unwrap_err();
        assert_eq!(refusal, GraphRefusal::unknown_organizer());
    }

    #[test]
    fn a_renamed_user_is_found_under_the_new_name_only() {
        let mut organizers = Organizers::new(OrganizerState::Permitted);
        let (maria, other) = (UserId::from(Uuid::from_u128(1)), UserId::from(Uuid::from_u128(2)));
        organizers.name(maria, "Maria.Schmidt@contoso.com");
        organizers.name(maria, "maria.mueller@contoso.com");
        assert_eq!(organizers.find("maria.mueller@contoso.com"), Some(maria));
        assert_eq!(organizers.find("maria.schmidt@contoso.com"), None);
        organizers.name(other, "maria.schmidt@contoso.com");
        assert_eq!(organizers.find("MARIA.SCHMIDT@contoso.com"), Some(other));
        // Taken over without a rename: the name goes, the former user's next one doesn't take it back.
        organizers.name(other, "maria.mueller@contoso.com");
        organizers.name(maria, "maria.huber@contoso.com");
        assert_eq!(organizers.find("maria.mueller@contoso.com"), Some(other));
    }

    #[test]
    fn no_user_is_found_where_undeclared_users_do_not_exist() {
        let mut organizers = Organizers::new(OrganizerState::Unknown);
        assert_eq!(organizers.find("anna@contoso.com"), None);
        organizers.declare(UserId::parse(ANNA).unwrap(), OrganizerState::Permitted, Some("anna@contoso.com"));
        assert_eq!(organizers.find("anna@contoso.com"), UserId::parse(ANNA));
    }
}
