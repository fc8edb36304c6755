//! Named schemas of one word each, made from the lists which the program itself uses. Requests and answers share them.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Components, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::access::{CredentialKind, Role};
use crate::api::problems::ProblemCode;
use crate::audit::{EventKind, Order};
use crate::booking::{AttendeeRole, Choice, MEETING_SETTINGS, MeetingSetting};
use crate::meeting::{CallKind, CheckName, CheckStatus, CreatedBy, DriftPolicy, Failure, Outcome, Status};

/// One list of words: its name in the document, its meaning, and the words.
macro_rules! words {
    ($($list:ident $name:literal $meaning:literal $words:expr;)+) => {
        $(
            #[doc = concat!("`", $name, "` in the document.")]
            pub(crate) enum $list {}

            impl ToSchema for $list {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed($name)
                }
            }

            impl PartialSchema for $list {
                fn schema() -> RefOr<Schema> {
                    one_of($meaning, $words.as_slice())
                }
            }
        )+

        /// Adds every list to the document, also those that only a parameter or a hand-written schema refers to.
        pub(super) fn add_to(components: &mut Components) {
            $(components.schemas.insert($name.to_owned(), $list::schema());)+
            for (setting, words) in settings() {
                components.schemas.insert(setting_name(setting), one_of(setting.meaning, words));
            }
        }

        /// Every list, by its name in the document.
        #[cfg(test)]
        pub(super) fn all() -> Vec<(&'static str, Vec<&'static str>)> {
            vec![$(($name, $words.to_vec()),)+]
        }
    };
}

words! {
    StatusWord "BookingStatus"
        "`pending`: no meeting yet. `provisioned`: the meeting is as the booking wants it. `updating`, `cancelling`: the \
         meeting is being changed or removed. `cancelled`: it is removed. `failed`: parked, an administrator must act, \
         and `lastError` says what to do."
        Status::ALL.map(Status::as_str);
    AttendeeRoleWord "AttendeeRole"
        "What the person may do in the meeting."
        AttendeeRole::ALL.map(AttendeeRole::as_str);
    CreatedByWord "CreatedBy"
        "`this-request`: Graph made the meeting when it was asked for this booking. `existing`: Graph had it already, \
         for example from an attempt whose answer was lost."
        CreatedBy::ALL.map(CreatedBy::as_str);
    FailureWord "FailureCode"
        "The kind of failure. `graph-throttled`, `graph-unavailable` and `graph-outcome-unknown` are retried by this \
         service; `/problems/{code}` explains the others."
        Failure::ALL.map(Failure::code);
    ProblemWord "ProblemCode"
        "The kind of problem, by which programs decide; `/problems/{code}` explains each. Later versions may add codes: \
         decide on the HTTP status of one that you don't know."
        ProblemCode::ALL.map(ProblemCode::as_str);
    CheckNameWord "CheckName"
        "`token`: whether this service gets a token. `permissions`: whether the token holds the application permissions. \
         `organizer`: whether the user exists. `access-policy`: whether an application access policy covers the \
         organizer. `recent-attempts`: how the latest bookings went."
        CheckName::ALL.map(CheckName::as_str);
    CheckStatusWord "CheckStatus"
        "`ok`: as bookings need it, as far as can be known without making one. `failed`: no booking can work. \
         `unknown`: it can't be known now."
        CheckStatus::ALL.map(CheckStatus::as_str);
    EventTypeWord "AuditEventType"
        "What happened, a fact of the past. Later versions may add types: ignore one that you don't know."
        EventKind::ALL.map(EventKind::as_str);
    OutcomeWord "CallOutcome"
        "What became of a call to Graph."
        Outcome::NAMES;
    CallWord "GraphCall"
        "Which call to Graph."
        CallKind::ALL.map(CallKind::as_str);
    DriftPolicyWord "DriftPolicy"
        "What is done about a meeting that was changed in Teams: it is changed back, it is only reported, or the booking \
         follows it."
        DriftPolicy::ALL.map(DriftPolicy::as_str);
    RoleWord "Role"
        "What a credential allows. `bookings.write`: create, change, cancel and retry bookings of its source system, and \
         read them and their history. `bookings.read`: read them. `audit.read`: read bookings and history of all source \
         systems, without join links. `operator`: the same with links, check organizers, and retry bookings of all source \
         systems. `privacy`: nothing yet."
        Role::ALL.map(Role::as_str);
    CredentialKindWord "CredentialKind"
        "`api-key`: an API key. `token`: a token of an OpenID provider. `certificate`: one shown over TLS. Later versions may add kinds."
        CredentialKind::ALL.map(CredentialKind::as_str);
    OrderWord "HistoryOrder"
        "`asc`: oldest first. `desc`: newest first."
        Order::ALL.map(Order::as_str);
    ExpandWord "Expand"
        "`onlineMeeting`: the whole meeting as Graph sent it."
        EXPAND;
    ListExpandWord "ListExpand"
        "`attendees`: each booking with its attendees."
        LIST_EXPAND;
    OrganizerChangeWord "OrganizerChange"
        "`replace`: the organizer may change."
        ORGANIZER_CHANGE;
}

/// What `expand` takes for one booking.
pub(crate) const EXPAND: [&str; 1] = ["onlineMeeting"];

/// What `expand` takes in the list of bookings.
pub(crate) const LIST_EXPAND: [&str; 1] = ["attendees"];

/// What `organizerChange` takes.
pub(crate) const ORGANIZER_CHANGE: [&str; 1] = ["replace"];

/// The settings that are one of several words.
fn settings() -> impl Iterator<Item = (&'static MeetingSetting, &'static [&'static str])> {
    MEETING_SETTINGS.iter().filter_map(|setting| match setting.choice {
        Choice::Switch => None,
        Choice::Words(words) => Some((setting, words)),
    })
}

/// The schema of a setting that is one of several words.
pub(crate) fn setting(setting: &MeetingSetting) -> Ref {
    Ref::from_schema_name(setting_name(setting))
}

/// The name of a setting's words in the document: `AllowMeetingChat`, `LobbyBypassSettingsScope`.
fn setting_name(setting: &MeetingSetting) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    setting.path.split('.').map(word).collect()
}

fn one_of(meaning: &str, words: &[&str]) -> RefOr<Schema> {
    let words = words.iter().copied();
    let object = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).description(Some(meaning));
    RefOr::T(Schema::Object(object.enum_values(Some(words)).build()))
}
