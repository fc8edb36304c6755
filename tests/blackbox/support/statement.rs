//! The statements of the service that write.

/// The statements that write, one for each file of `src/store/writing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    /// Stores a booking.
    Accept,
    /// Begins an attempt that reads the meeting.
    BeginCheck,
    /// Leases due bookings.
    Claim,
    /// Changes what is wanted, or cancels the booking.
    Declare,
    /// Keeps a cancel of a booking that is not known.
    KeepCancel,
    /// Records a pause that Graph asked for.
    RecordPause,
    /// Hands leases back.
    Release,
    /// Makes a parked or waiting booking due.
    Retry,
    /// Stores the outcome of a call.
    Settle,
}

impl Statement {
    /// All of them, in the order of their files; a test compares them with the files.
    pub const ALL: [Self; 9] = [
        Self::Accept,
        Self::BeginCheck,
        Self::Claim,
        Self::Declare,
        Self::KeepCancel,
        Self::RecordPause,
        Self::Release,
        Self::Retry,
        Self::Settle,
    ];

    /// The file's name, without its ending.
    pub fn file(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::BeginCheck => "begin_check",
            Self::Claim => "claim",
            Self::Declare => "declare",
            Self::KeepCancel => "keep_cancel",
            Self::RecordPause => "pause_calls",
            Self::Release => "release",
            Self::Retry => "retry",
            Self::Settle => "settle",
        }
    }

    /// A text that no other statement has; a test compares it with the files.
    pub fn marker(self) -> &'static str {
        match self {
            Self::Accept => "insert into booking (",
            Self::BeginCheck => "agreement = case when due_at is null then 'check-requested'",
            Self::Claim => "for update skip locked",
            Self::Declare => "with changed as (",
            Self::KeepCancel => "select keep_cancel(",
            Self::RecordPause => "insert into graph_pause (",
            Self::Release => "update booking set lease_until =",
            Self::Retry => "with retried as (",
            Self::Settle => "with settled as (",
        }
    }

    /// Which one a query's text is, if it is one of them.
    pub fn recognise(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|statement| text.contains(statement.marker()))
    }
}
