//! The settings of a meeting that a booking may ask for: what `createOrGet` can't carry and a `PATCH` can.
//!
//! Facts: Microsoft's page "Update onlineMeeting" (v1.0) says which can be changed, its metadata which values there
//! are. Left out are those that need more than a switch or one value of a list (`watermarkProtection`, `broadcastSettings`), one
//! that can't be taken back (`anonymizeIdentityForRoles`), and what that page does not list, such as
//! `shareMeetingChatHistoryDefault`.

use serde_json::Value;

use super::members::kind;

/// Member `allowedPresenters`: who may present.
pub const ALLOWED_PRESENTERS: &str = "allowedPresenters";
/// The value of [`ALLOWED_PRESENTERS`] that gives effect to the attendees' roles.
pub const ROLE_IS_PRESENTER: &str = "roleIsPresenter";
/// The member that holds the two settings of the lobby.
pub const LOBBY: &str = "lobbyBypassSettings";

/// One setting of a meeting.
#[derive(Debug, PartialEq, Eq)]
pub struct MeetingSetting {
    /// Graph's name of it, with that of the member that holds it: `lobbyBypassSettings.scope`.
    pub path: &'static str,
    /// What it may be.
    pub choice: Choice,
    /// What it means, as a sentence.
    pub meaning: &'static str,
}

/// What a setting may be.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// On or off.
    Switch,
    /// One of these values, in Graph's spelling.
    Words(&'static [&'static str]),
}

/// What a setting is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingValue {
    /// On or off.
    Switch(bool),
    /// One of the values of its [`Choice`].
    Word(&'static str),
}

/// Every setting, in the order of their paths.
pub static MEETING_SETTINGS: [MeetingSetting; 17] = [
    switch("allowAttendeeToEnableCamera", "Whether attendees can turn on their camera."),
    switch("allowAttendeeToEnableMic", "Whether attendees can turn on their microphone."),
    switch("allowBreakoutRooms", "Whether there may be breakout rooms."),
    switch("allowCopyingAndSharingMeetingContent", "Whether the meeting's content can be copied and shared."),
    one_of("allowLiveShare", &["enabled", "disabled"], "Whether apps can be shared live."),
    one_of(
        "allowMeetingChat",
        &["enabled", "disabled", "limited"],
        "Whether there is a chat; `limited`: only during the meeting.",
    ),
    switch("allowPowerPointSharing", "Whether PowerPoint can be presented live."),
    switch("allowRecording", "Whether the meeting can be recorded."),
    switch("allowTeamworkReactions", "Whether people can react with emoji."),
    switch("allowTranscription", "Whether the meeting can be transcribed."),
    switch("allowWhiteboard", "Whether there may be a whiteboard."),
    one_of(
        "allowedLobbyAdmitters",
        &["organizerAndCoOrganizersAndPresenters", "organizerAndCoOrganizers"],
        "Who can admit people from the lobby.",
    ),
    one_of(
        ALLOWED_PRESENTERS,
        &["everyone", "organization", ROLE_IS_PRESENTER, "organizer"],
        "Who may present; `roleIsPresenter`: the attendees whose role says so.",
    ),
    switch("isEntryExitAnnounced", "Whether it is announced when callers by telephone join or leave."),
    switch("lobbyBypassSettings.isDialInBypassEnabled", "Whether callers by telephone pass the lobby."),
    one_of(
        "lobbyBypassSettings.scope",
        &[
            "organizer",
            "organization",
            "organizationAndFederated",
            "everyone",
            "invited",
            "organizationExcludingGuests",
        ],
        "Who passes the lobby.",
    ),
    switch("recordAutomatically", "Whether the recording starts by itself."),
];

const fn switch(path: &'static str, meaning: &'static str) -> MeetingSetting {
    MeetingSetting { path, choice: Choice::Switch, meaning }
}

const fn one_of(
    path: &'static str,
    values: &'static [&'static str],
    meaning: &'static str,
) -> MeetingSetting {
    MeetingSetting { path, choice: Choice::Words(values), meaning }
}

impl MeetingSetting {
    /// The member that holds it, where it isn't the meeting itself, and its name there.
    #[must_use]
    pub fn place(&self) -> (Option<&'static str>, &'static str) {
        self.path.split_once('.').map_or((None, self.path), |(holder, name)| (Some(holder), name))
    }

    /// Reads a value, or says what would be right, as a sentence without its subject.
    pub(super) fn read(&self, value: &Value) -> Result<SettingValue, String> {
        match (&self.choice, value) {
            (Choice::Switch, Value::Bool(on)) => Ok(SettingValue::Switch(*on)),
            (Choice::Switch, other) => Err(format!("must be true or false, not {}", kind(other))),
            (Choice::Words(values), Value::String(text)) => {
                let value = values.iter().find(|value| *value == text);
                value
                    .map(|value| SettingValue::Word(value))
                    .ok_or_else(|| format!("must be one of {}", values.join(", ")))
            }
            (Choice::Words(_), other) => Err(format!("must be a string, not {}", kind(other))),
        }
    }
}

impl From<SettingValue> for Value {
    fn from(value: SettingValue) -> Self {
        match value {
            SettingValue::Switch(on) => Self::Bool(on),
            SettingValue::Word(value) => Self::from(value),
        }
    }
}
