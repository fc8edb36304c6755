//! On whose behalf a task works.

use tokio::task::futures::TaskLocalFuture;

use crate::booking::SourceSystem;

tokio::task_local! {
    static SOURCE_SYSTEM: SourceSystem;
}

/// Work on behalf of this source system. A task that the work spawns has to say so again.
pub(crate) fn on_behalf_of<W: Future>(
    source_system: SourceSystem,
    work: W,
) -> TaskLocalFuture<SourceSystem, W> {
    SOURCE_SYSTEM.scope(source_system, work)
}

/// The source system that this task serves; none for what the service does for itself: probes, claims, metrics.
pub(crate) fn served_source_system() -> Option<SourceSystem> {
    SOURCE_SYSTEM.try_with(Clone::clone).ok()
}
