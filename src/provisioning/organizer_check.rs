//! What is known of an organizer, without trying a booking.

use std::time::Duration;

use super::{Provisioning, ProvisioningError};
use crate::booking::{Organizer, SourceSystem};
use crate::meeting::{OrganizerFacts, RecentAttempts};

/// How far back bookings count as recent.
const RECENT: Duration = Duration::from_hours(7 * 24);

impl Provisioning {
    /// What Graph tells of an organizer, and how the latest bookings went: those of one source system, or of all. Nothing
    /// is changed by asking, here or at Graph.
    pub(crate) async fn look_at_organizer(
        &self,
        organizer: &Organizer,
        source_system: Option<&SourceSystem>,
    ) -> Result<(OrganizerFacts, RecentAttempts), ProvisioningError> {
        let facts = self.graph.check_organizer(organizer).await;
        let since = self.clock.now() - RECENT;
        let recent = self.store.recent_attempts(organizer, facts.user_id, source_system, since).await?;
        Ok((facts, recent))
    }
}
