//! Which connection is closed when there are too many: the one whose client has been silent longest, strangers first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use tokio::time::Instant;

use super::connection::Connection;

/// Where a connection stands among those that wait for their client's next request. The lesser is closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    /// Whether an authenticated caller has sent a request over it.
    pub(super) is_callers: bool,
    /// Since when its client is silent, or sends the head that isn't complete.
    pub(super) since: Instant,
    number: u64,
}

/// The connections of one thread that wait for their client's next request.
#[derive(Default)]
pub(super) struct WaitingLine {
    line: RefCell<BTreeMap<Standing, Weak<Connection>>>,
    joined: Cell<u64>,
}

impl WaitingLine {
    /// A connection waits for its next request since then.
    pub(super) fn join(&self, is_callers: bool, since: Instant, connection: &Rc<Connection>) -> Standing {
        let number = self.joined.get();
        self.joined.set(number + 1);
        let standing = Standing { is_callers, since, number };
        self.line.borrow_mut().insert(standing, Rc::downgrade(connection));
        standing
    }

    /// It doesn't wait any more.
    pub(super) fn leave(&self, standing: Option<Standing>) {
        if let Some(standing) = standing {
            self.line.borrow_mut().remove(&standing);
        }
    }

    /// Closes the first of the line, if there is one: a connection over which a request is being answered never is.
    pub(super) fn displace_first(&self) {
        let first = self.line.borrow_mut().pop_first();
        if let Some(connection) = first.and_then(|(_, connection)| connection.upgrade()) {
            connection.displace();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A stranger before a caller, the longest silent first, and of two at one moment the one that came first.
    #[test]
    fn strangers_go_before_callers_and_the_silent_before_the_rest() {
        let now = Instant::now();
        let standing = |is_callers, seconds, number| Standing {
            is_callers,
            since: now + Duration::from_secs(seconds),
            number,
        };
        let mut line = [
            standing(true, 0, 3),
            standing(false, 9, 0),
            standing(false, 2, 2),
            standing(true, 5, 1),
            standing(false, 2, 1),
        ];
        line.sort_unstable();
        assert_eq!(
            line.map(|one| (one.is_callers, one.number)),
            [(false, 1), (false, 2), (false, 0), (true, 3), (true, 1)]
        );
    }
}
