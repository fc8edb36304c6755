//! How often a change is tried that others overtake.

use std::time::Duration;

use super::Provisioning;
use super::results::ProvisioningError;

/// So many requests in a row may be faster than this one; then its caller is told to come back. Two dozen changes of one
/// booking at once all come through, and the waits between sixteen tries add up to two and a half seconds at most.
const OVERTAKEN_MAX: u32 = 16;
/// The longest wait before the first repetition; doubled each time, with full jitter.
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// No wait is longer than this.
const WAIT_MAX: Duration = Duration::from_millis(200);

/// The tries of one request.
#[derive(Debug, Default)]
pub(super) struct Tries {
    overtaken: u32,
}

impl Provisioning {
    /// The booking is no longer as it was read. Waits a little, so that requests which collide don't do so again in step.
    ///
    /// # Errors
    /// When that was so too often.
    pub(super) async fn overtaken(&self, tries: &mut Tries) -> Result<(), ProvisioningError> {
        tries.overtaken += 1;
        if tries.overtaken >= OVERTAKEN_MAX {
            return Err(ProvisioningError::Contended);
        }
        let longest = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.overtaken - 1)).min(WAIT_MAX);
        tokio::time::sleep(longest.mul_f64(self.clock.fresh_fraction().clamp(0.0, 1.0))).await;
        Ok(())
    }
}
