//! Says in time that an organizer comes near the number of meetings that Microsoft allows in a month.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Provisioning, ProvisioningError};
use crate::booking::UserId;
use crate::clock::Timestamp;
use crate::store::reading::MeetingCount;
use crate::throttling::{MEETINGS_PER_MONTH, NEAR, Quota, month_of, quota};

/// What was said already, so that each organizer's state is said once in a month.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<UserId, (Timestamp, Quota)>>);

impl Quotas {
    /// Whether this is news.
    fn note(&self, organizer: UserId, month: Timestamp, quota: Quota) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, (of, _)| *of == month);
        said.insert(organizer, (month, quota)) != Some((month, quota))
    }
}

impl Provisioning {
    /// Counts the meetings that were made for each organizer in this calendar month, over all replicas, and says who
    /// comes near the limit.
    pub(crate) async fn look_at_quotas(&self) -> Result<(), ProvisioningError> {
        let month = month_of(self.clock.now());
        let count = MeetingCount { at_least: NEAR, at_most: MEETINGS_PER_MONTH };
        let made = self.store.meetings_made(month, count).await?;
        self.metrics.set_near_monthly_limit(made.len());
        for (organizer, meetings) in made {
            let Some(quota) = quota(meetings).filter(|quota| self.quotas.note(organizer, month, *quota))
            else {
                continue;
            };
            let limit = MEETINGS_PER_MONTH;
            match quota {
                Quota::Near => {
                    tracing::warn!(%organizer, meetings, limit, "an organizer comes near the month's limit of meetings");
                }
                Quota::UsedUp => {
                    tracing::error!(%organizer, meetings, limit, "an organizer has used up the month's limit of meetings");
                }
            }
        }
        Ok(())
    }
}
