//! How far a connection is with its request and its answer, and by when it must be further. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeLimits {
    /// For each request's head: from its first byte, that of the first request from the opening of the connection.
    pub(super) read: Duration,
    /// For each answer: from the moment at which the client takes no more of it, until it has taken all.
    pub(super) write: Duration,
    /// From an answer until the first byte of the next request.
    pub(super) keep_alive: Duration,
}

/// What a client was too slow with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// It sent no request. That is no fault of a connection that is kept for the next one.
    Request,
    /// It began the head of a request and did not end it.
    Head,
    /// It did not take its answer.
    Answer,
}

/// What happens on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has come since then: the opening, or the last answer.
    Idle(Instant),
    /// The first byte of a request came then. What is left of the body of a request that is answered counts as one, too.
    Head(Instant),
    /// A request is worked on, or its body is read, which has a limit of its own.
    Working,
    /// Its answer is being sent.
    Sending,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    phase: Phase,
    /// Whether a request was answered before.
    has_answered: bool,
    /// Since when the client takes no more of an answer.
    blocked_since: Option<Instant>,
    /// Whether an answer is complete whose last bytes are not written.
    has_unwritten: bool,
}

impl Progress {
    /// A connection that was opened.
    pub(super) fn opened(now: Instant) -> Self {
        Self { phase: Phase::Idle(now), has_answered: false, blocked_since: None, has_unwritten: false }
    }

    /// Bytes came.
    pub(super) fn read(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Idle(_)) {
            self.phase = Phase::Head(now);
        }
    }

    /// A request's head is complete.
    pub(super) fn request_begun(&mut self) {
        self.phase = Phase::Working;
    }

    /// Its answer begins.
    pub(super) fn answer_begun(&mut self) {
        self.phase = Phase::Sending;
    }

    /// The last byte of its answer is ready to be written.
    pub(super) fn answer_ended(&mut self, now: Instant) {
        self.phase = Phase::Idle(now);
        self.has_answered = true;
        self.has_unwritten = true;
    }

    /// The client takes no more for now.
    pub(super) fn blocked(&mut self, now: Instant) {
        self.blocked_since.get_or_insert(now);
    }

    /// All that was ready is written. Between two parts of one answer that does not begin its time anew.
    pub(super) fn written(&mut self) {
        if self.has_unwritten || self.phase != Phase::Sending {
            self.blocked_since = None;
            self.has_unwritten = false;
        }
    }

    /// Since when it waits for the client's next request, if it does.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        match self.phase {
            Phase::Idle(since) | Phase::Head(since) => Some(since),
            Phase::Working | Phase::Sending => None,
        }
    }

    /// Until when the client has time, and what it is late with then.
    pub(super) fn deadline(&self, limits: &TimeLimits) -> Option<(Instant, Late)> {
        let of_request = match self.phase {
            Phase::Idle(since) if self.has_answered => Some((since + limits.keep_alive, Late::Request)),
            Phase::Idle(since) => Some((since + limits.read, Late::Request)),
            Phase::Head(since) => Some((since + limits.read, Late::Head)),
            Phase::Working | Phase::Sending => None,
        };
        let of_answer = self.blocked_since.map(|since| (since + limits.write, Late::Answer));
        [of_request, of_answer].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TimeLimits = TimeLimits {
        read: Duration::from_secs(10),
        write: Duration::from_secs(30),
        keep_alive: Duration::from_secs(75),
    };

    /// One thing that happens on a connection, at a second.
    enum Event {
        Read(u64),
        Begun,
        Answering,
        Ended(u64),
        Blocked(u64),
        Written,
    }

    /// What is due after these events, in seconds after the opening.
    fn due_after(events: &[Event]) -> Option<(u64, Late)> {
        let opened = Instant::now();
        let at = |second: u64| opened + Duration::from_secs(second);
        let mut progress = Progress::opened(opened);
        for event in events {
            match *event {
                Event::Read(second) => progress.read(at(second)),
                Event::Begun => progress.request_begun(),
                Event::Answering => progress.answer_begun(),
                Event::Ended(second) => progress.answer_ended(at(second)),
                Event::Blocked(second) => progress.blocked(at(second)),
                Event::Written => progress.written(),
            }
        }
        let deadline = progress.deadline(&LIMITS);
        deadline.map(|(at, late)| (at.saturating_duration_since(opened).as_secs(), late))
    }

    /// Every head has its time from its first byte on, however the others trickle in; the first has it from the opening.
    #[test]
    fn every_head_has_a_deadline() {
        use Event::{Answering, Begun, Ended, Read, Written};
        for (events, expected) in [
            (&[][..], Some((10, Late::Request))),
            (&[Read(4)], Some((14, Late::Head))),
            (&[Read(4), Read(9)], Some((14, Late::Head))),
            (&[Read(4), Begun], None),
            (&[Read(4), Begun, Read(8)], None),
            (&[Read(4), Begun, Answering], None),
            (&[Read(4), Begun, Answering, Ended(5), Written], Some((80, Late::Request))),
            (&[Read(4), Begun, Answering, Ended(5), Written, Read(60)], Some((70, Late::Head))),
            (&[Read(4), Begun, Answering, Ended(5), Written, Read(60), Read(69)], Some((70, Late::Head))),
            (&[Read(4), Begun, Answering, Ended(5), Begun, Answering, Ended(6)], Some((81, Late::Request))),
        ] {
            assert_eq!(due_after(events), expected);
        }
    }

    /// An answer has its time from when its reader first takes no more; taking a little now and then doesn't help. What a
    /// request's work takes is not the reader's fault.
    #[test]
    fn every_answer_has_a_deadline() {
        use Event::{Answering, Begun, Blocked, Ended, Read, Written};
        for (events, expected) in [
            (&[Read(0), Begun, Answering, Blocked(2)][..], Some((32, Late::Answer))),
            (
                &[Read(0), Begun, Answering, Blocked(2), Written, Blocked(20), Written],
                Some((32, Late::Answer)),
            ),
            (&[Read(0), Begun, Answering, Blocked(2), Ended(20)], Some((32, Late::Answer))),
            (&[Read(0), Begun, Answering, Blocked(2), Ended(20), Written], Some((95, Late::Request))),
            // Two answers one after the other: the second has its own time.
            (
                &[Read(0), Begun, Answering, Blocked(2), Ended(20), Begun, Answering, Written, Blocked(25)],
                Some((55, Late::Answer)),
            ),
            // What is written before an answer, such as 100 Continue.
            (&[Read(0), Begun, Blocked(1)], Some((31, Late::Answer))),
            (&[Read(0), Begun, Blocked(1), Written], None),
        ] {
            assert_eq!(due_after(events), expected);
        }
    }

    /// Only a connection without a request may be closed for another one's sake.
    #[test]
    fn a_request_under_way_is_not_waiting() {
        let opened = Instant::now();
        let mut progress = Progress::opened(opened);
        assert_eq!(progress.waiting_since(), Some(opened));
        progress.request_begun();
        assert_eq!(progress.waiting_since(), None);
        progress.answer_begun();
        assert_eq!(progress.waiting_since(), None);
        progress.answer_ended(opened);
        assert_eq!(progress.waiting_since(), Some(opened));
    }
}
