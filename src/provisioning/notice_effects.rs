//! What other replicas tell that is not about waiting.

use super::Provisioning;
use crate::waiting::NoticeEffects;

impl NoticeEffects for Provisioning {
    fn work_is_due(&self) {
        self.alarm.set(self.clock.now());
    }

    fn pauses_have_changed(&self) {
        self.pause_reads.tell();
    }
}
