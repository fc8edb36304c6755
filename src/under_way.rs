//! Counts what is under way, and lets callers wait until nothing is.

use tokio::sync::watch;

/// How many things are under way.
#[derive(Debug)]
pub(crate) struct UnderWay(watch::Sender<usize>);

/// One thing under way, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(watch::Sender<usize>);

impl UnderWay {
    /// One more thing is under way, until what is handed back is dropped.
    pub(crate) fn one_more(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }

    /// How many are under way now.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until nothing is under way.
    pub(crate) async fn nothing(&self) {
        let mut count = self.0.subscribe();
        // The receiver fails only when the sender is gone, and the sender is ours.
        let _idle = count.wait_for(|count| *count == 0).await;
    }
}

impl Default for UnderWay {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
