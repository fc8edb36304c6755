//! What a setting's value must be.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;

/// How the value may be written in a TOML file. In the environment everything is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Text,
    Number,
    Flag,
}

/// What a value must be, and how it is read. The reader's error says what would be right: "must be …".
pub(super) struct SettingRule<T> {
    pub(super) written: Written,
    /// Its value is never shown.
    pub(super) is_secret: bool,
    pub(super) read: Box<Read<T>>,
}

/// Reads a text, or says what would be right.
type Read<T> = dyn Fn(&str) -> Result<T, String>;

impl<T: 'static> SettingRule<T> {
    /// Text that `read` understands.
    pub(super) fn text(read: impl Fn(&str) -> Result<T, String> + 'static) -> Self {
        Self { written: Written::Text, is_secret: false, read: Box::new(read) }
    }

    fn number(read: impl Fn(&str) -> Result<T, String> + 'static) -> Self {
        Self { written: Written::Number, is_secret: false, read: Box::new(read) }
    }
}

/// One of a few words.
pub(super) fn one_of<T: Copy + 'static>(words: &'static [(&'static str, T)]) -> SettingRule<T> {
    SettingRule::text(move |text| {
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            format!("must be {}", all.join(" or "))
        })
    })
}

/// `true` or `false`.
pub(super) fn flag() -> SettingRule<bool> {
    let read = |text: &str| text.parse().map_err(|_| "must be true or false".to_owned());
    SettingRule { written: Written::Flag, is_secret: false, read: Box::new(read) }
}

/// A whole number within a range.
pub(super) fn whole(range: RangeInclusive<u32>) -> SettingRule<u32> {
    SettingRule::number(move |text| within(text.parse().ok(), &range, "a whole number"))
}

/// A whole number of seconds within a range.
pub(super) fn seconds(range: RangeInclusive<u32>) -> SettingRule<Duration> {
    SettingRule::number(move |text| {
        within(text.parse().ok(), &range, "a whole number of seconds")
            .map(|count| Duration::from_secs(count.into()))
    })
}

/// A whole number of hours within a range.
pub(super) fn hours(range: RangeInclusive<u32>) -> SettingRule<Duration> {
    SettingRule::number(move |text| {
        within(text.parse().ok(), &range, "a whole number of hours")
            .map(|count| Duration::from_hours(count.into()))
    })
}

/// A number of seconds within a range, fractions allowed.
pub(super) fn fractional_seconds(range: RangeInclusive<f64>) -> SettingRule<Duration> {
    SettingRule::number(move |text| {
        within(text.parse().ok(), &range, "a number of seconds").map(Duration::from_secs_f64)
    })
}

fn within<N: PartialOrd + Display>(
    number: Option<N>,
    range: &RangeInclusive<N>,
    what: &str,
) -> Result<N, String> {
    let wrong = || format!("must be {what} from {} to {}", range.start(), range.end());
    number.filter(|number| range.contains(number)).ok_or_else(wrong)
}

/// A secret that `check` agrees with.
pub(super) fn secret(check: impl Fn(&str) -> Result<(), String> + 'static) -> SettingRule<SecretString> {
    let read = move |text: &str| check(text).map(|()| SecretString::from(text));
    SettingRule { written: Written::Text, is_secret: true, read: Box::new(read) }
}

/// The path of a file.
pub(super) fn path() -> SettingRule<std::path::PathBuf> {
    SettingRule::text(|text| match text {
        "" => Err("must be the path of a file".to_owned()),
        text => Ok(text.into()),
    })
}
