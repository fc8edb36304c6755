//! Remembers which user a user principal name belongs to, so that bookings by name don't ask each time.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::booking::{Upn, UserId};
use crate::clock::{Clock, Timestamp};
use crate::meeting::{Call, Evidence, Outcome, Refusal};

/// Most names that are remembered; of more, those that are asked for least are forgotten.
const CACHE_ENTRIES_MAX: u64 = 10_000;
/// How long an answer is trusted. A name that is given to another user leads to its former user for no longer.
const CACHE_LIFETIME: Duration = Duration::from_hours(1);

/// The users whose names were resolved. What Graph doesn't find is never remembered: the user may be made next.
#[derive(Debug)]
pub(super) struct OrganizerIds {
    kept: Cache<String, Resolved>,
    clock: Arc<dyn Clock>,
}

/// The time stands beside the id, because the cache's own clock can't be handed in.
#[derive(Debug, Clone, Copy)]
struct Resolved {
    id: UserId,
    at: Timestamp,
}

impl OrganizerIds {
    /// No name is known yet.
    pub(super) fn none(clock: Arc<dyn Clock>) -> Self {
        Self { kept: Cache::new(CACHE_ENTRIES_MAX), clock }
    }

    /// Answers a call from what is remembered, and says so in its evidence.
    pub(super) async fn answer(&self, call: &Call, evidence: &mut Evidence) -> Option<Outcome> {
        let Call::FindOrganizer(upn) = call else { return None };
        let resolved = self.kept.get(&upn.folded()).await?;
        if self.clock.now() - resolved.at >= CACHE_LIFETIME {
            return None;
        }
        evidence.message = Some(format!("answered from the cache: Graph was asked at {}", resolved.at));
        Some(Outcome::OrganizerFound(resolved.id))
    }

    /// Remembers or forgets a user by an answer of Graph.
    pub(super) async fn note(&self, call: &Call, outcome: &Outcome) {
        match (call, outcome) {
            (Call::FindOrganizer(upn), Outcome::OrganizerFound(id)) => self.remember(upn, *id).await,
            // A user who is gone may have a successor under the same name.
            (Call::CreateOrGet { organizer, .. }, Outcome::Refused(Refusal::OrganizerNotFound)) => {
                self.forget(*organizer).await;
            }
            _ => {}
        }
    }

    async fn remember(&self, upn: &Upn, id: UserId) {
        self.kept.insert(upn.folded(), Resolved { id, at: self.clock.now() }).await;
    }

    async fn forget(&self, id: UserId) {
        let names = self.kept.iter().filter(|(_, resolved)| resolved.id == id).map(|(name, _)| name);
        for name in names.collect::<Vec<_>>() {
            self.kept.invalidate(&*name).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::{ExternalId, parse};
    use crate::clock::ManualClock;

    fn find(upn: &str) -> Call {
        Call::FindOrganizer(Upn::parse(upn).unwrap())
    }

    async fn answer(ids: &OrganizerIds, upn: &str) -> Option<Outcome> {
        ids.answer(&find(upn), &mut Evidence::begun(ids.clock.now())).await
    }

    /// A name is the same in any case, holds for an hour by the clock that is handed in, and no failure is remembered.
    #[tokio::test]
    async fn a_name_is_remembered_for_an_hour() {
        let clock = Arc::new(ManualClock::at(datetime!(2026-12-01 09:00 UTC)));
        let ids = OrganizerIds::none(clock.clone());
        let found = Outcome::OrganizerFound(UserId::new(Uuid::from_u128(1)));
        ids.note(&find("nobody@contoso.com"), &Outcome::Refused(Refusal::OrganizerNotFound)).await;
        ids.note(&find("lost@contoso.com"), &Outcome::Unknown).await;
        ids.note(&find("Anna@contoso.com"), &found).await;
        assert_eq!(answer(&ids, "nobody@contoso.com").await, None);
        assert_eq!(answer(&ids, "lost@contoso.com").await, None);
        assert_eq!(answer(&ids, "anna@CONTOSO.com").await, Some(found.clone()));
        clock.advance(CACHE_LIFETIME.saturating_sub(Duration::from_micros(1)));
        assert_eq!(answer(&ids, "anna@contoso.com").await, Some(found));
        clock.advance(Duration::from_micros(1));
        assert_eq!(answer(&ids, "anna@contoso.com").await, None);
    }

    /// A user whom Graph no longer knows is forgotten under every name; the others are not.
    #[tokio::test]
    async fn a_user_who_is_gone_is_forgotten() {
        let ids = OrganizerIds::none(Arc::new(ManualClock::at(datetime!(2026-12-01 09:00 UTC))));
        let (gone, there) = (UserId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
        for (upn, id) in [("a@contoso.com", gone), ("b@contoso.com", gone), ("c@contoso.com", there)] {
            ids.note(&find(upn), &Outcome::OrganizerFound(id)).await;
        }
        let body = serde_json::json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z"});
        let create = Call::CreateOrGet {
            organizer: gone,
            external_id: ExternalId::new(Uuid::from_u128(7)),
            spec: Box::new(parse(body).unwrap().1),
        };
        ids.note(&create, &Outcome::Refused(Refusal::OrganizerNotFound)).await;
        assert_eq!(answer(&ids, "a@contoso.com").await, None);
        assert_eq!(answer(&ids, "b@contoso.com").await, None);
        assert!(answer(&ids, "c@contoso.com").await.is_some());
    }

    /// However many names are asked for, no more than the bound are kept.
    #[tokio::test]
    async fn names_are_remembered_within_bounds() {
        let ids = OrganizerIds::none(Arc::new(ManualClock::at(datetime!(2026-12-01 09:00 UTC))));
        let id = Outcome::OrganizerFound(UserId::new(Uuid::from_u128(1)));
        for n in 0..CACHE_ENTRIES_MAX + 500 {
            ids.note(&find(&format!("n{n}@contoso.com")), &id).await;
        }
        ids.kept.run_pending_tasks().await;
        assert_eq!(ids.kept.entry_count(), CACHE_ENTRIES_MAX);
    }
}
