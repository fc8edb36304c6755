//! What other replicas tell that is not about waiting.

use super::Provisioning;
use crate::clock::Timestamp;
use crate::waiting::NoticeEffects;

impl NoticeEffects for Provisioning {
    fn work_is_due(&self) {
        self.alarm.set(self.clock.now());
    }

    fn pause_is_asked(&self, scope: &str, until: Timestamp) {
        self.apply_pause(scope, until);
    }
}
