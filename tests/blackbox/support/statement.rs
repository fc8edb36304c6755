//! The statements of the service that write.

/// The statements that write, one for each file of `src/store/writing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    /// Stores a booking.
    Accept,
    /// Takes what is due.
    Claim,
    /// Changes what is wanted, or calls it off.
    Declare,
    /// Has a meeting looked at.
    Doubt,
    /// Keeps what Graph asked to be left alone with.
    Pause,
    /// Hands leases back.
    Release,
    /// Makes what is parked or waits due.
    Retry,
    /// Stores what came of a call.
    Settle,
}

impl Statement {
    /// All of them; a test holds them to the files.
    pub const ALL: [Self; 8] = [
        Self::Accept,
        Self::Claim,
        Self::Declare,
        Self::Doubt,
        Self::Pause,
        Self::Release,
        Self::Retry,
        Self::Settle,
    ];

    /// The file's name, without its ending.
    pub fn file(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Claim => "claim",
            Self::Declare => "declare",
            Self::Doubt => "doubt",
            Self::Pause => "pause",
            Self::Release => "release",
            Self::Retry => "retry",
            Self::Settle => "settle",
        }
    }

    /// Words that no other statement has; a test holds them to the file.
    pub fn words(self) -> &'static str {
        match self {
            Self::Accept => "insert into booking (",
            Self::Claim => "for update skip locked",
            Self::Declare => "with changed as (",
            Self::Doubt => "doubted = true, agreed_revision =",
            Self::Pause => "insert into graph_pause (",
            Self::Release => "update booking set lease_until =",
            Self::Retry => "with retried as (",
            Self::Settle => "with settled as (",
        }
    }

    /// Which one a query's text is, if it is one of them.
    pub fn recognise(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|statement| text.contains(statement.words()))
    }
}
