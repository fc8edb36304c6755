//! What a setting's value must be.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;

/// The most of a wrong value that is shown, in characters.
const SHOWN_MAX: usize = 100;

/// How the value may be written in a TOML file. In the environment everything is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Text,
    Number,
    Flag,
}

/// What a value must be, and how it is read. The reader's error says what would be right: "must be …".
pub struct SettingRule<T> {
    written: Written,
    /// Its value is never shown.
    is_secret: bool,
    read: Box<Read<T>>,
}

/// Reads a text, or says what would be right.
type Read<T> = dyn Fn(&str) -> Result<T, String>;

impl<T: 'static> SettingRule<T> {
    /// Text that `read` understands.
    pub fn text(read: impl Fn(&str) -> Result<T, String> + 'static) -> Self {
        Self { written: Written::Text, is_secret: false, read: Box::new(read) }
    }

    /// Text of which a wrong value is not shown: it may be a secret.
    pub fn unshown_text(read: impl Fn(&str) -> Result<T, String> + 'static) -> Self {
        Self { is_secret: true, ..Self::text(read) }
    }

    fn number(read: impl Fn(&str) -> Result<T, String> + 'static) -> Self {
        Self { written: Written::Number, is_secret: false, read: Box::new(read) }
    }
}

/// One of a few words.
pub fn one_of<T: Copy + 'static>(words: impl IntoIterator<Item = (&'static str, T)>) -> SettingRule<T> {
    let words: Vec<(&str, T)> = words.into_iter().collect();
    SettingRule::text(move |text| {
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            match quoted.split_last() {
                Some((last, others)) if !others.is_empty() => {
                    format!("must be {} or {last}", others.join(", "))
                }
                _ => format!("must be {}", quoted.concat()),
            }
        })
    })
}

/// `true` or `false`.
pub fn flag() -> SettingRule<bool> {
    let read = |text: &str| text.parse().map_err(|_| "must be true or false".to_owned());
    SettingRule { written: Written::Flag, is_secret: false, read: Box::new(read) }
}

/// A whole number within a range.
pub fn whole(range: RangeInclusive<u32>) -> SettingRule<u32> {
    SettingRule::number(move |text| within(text.parse().ok(), &range, "a whole number"))
}

/// A whole number of seconds within a range.
pub fn seconds(range: RangeInclusive<u32>) -> SettingRule<Duration> {
    SettingRule::number(move |text| {
        within(text.parse().ok(), &range, "a whole number of seconds")
            .map(|count| Duration::from_secs(count.into()))
    })
}

/// A whole number of hours within a range.
pub fn hours(range: RangeInclusive<u32>) -> SettingRule<Duration> {
    SettingRule::number(move |text| {
        within(text.parse().ok(), &range, "a whole number of hours")
            .map(|count| Duration::from_hours(count.into()))
    })
}

/// A number of seconds within a range, fractions allowed.
pub fn fractional_seconds(range: RangeInclusive<f64>) -> SettingRule<Duration> {
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
pub fn secret(check: impl Fn(&str) -> Result<(), String> + 'static) -> SettingRule<SecretString> {
    SettingRule::unshown_text(move |text| check(text).map(|()| SecretString::from(text)))
}

/// The path of a file.
pub fn path() -> SettingRule<std::path::PathBuf> {
    SettingRule::text(|text| match text {
        "" => Err("must be the path of a file".to_owned()),
        text => Ok(text.into()),
    })
}

/// Reads a value of a TOML file. The error shows the value, unless it is a secret, and says what would be right.
pub fn read_toml<T>(value: &toml::Value, rule: &SettingRule<T>) -> Result<T, String> {
    let text = match (value, rule.written) {
        (toml::Value::String(text), Written::Text) => text.clone(),
        (toml::Value::Integer(number), Written::Number) => number.to_string(),
        (toml::Value::Float(number), Written::Number) => number.to_string(),
        (toml::Value::Boolean(flag), Written::Flag) => flag.to_string(),
        (value, written) => {
            let right = match written {
                Written::Text => "must be text in quotes",
                Written::Number => "must be a number, without quotes",
                Written::Flag => "must be true or false, without quotes",
            };
            return Err(format!("is of type {}; {right}", value.type_str()));
        }
    };
    read_variable(&text, rule)
}

/// Reads a value as it stands in an environment variable. The error is that of [`read_toml`].
pub fn read_variable<T>(text: &str, rule: &SettingRule<T>) -> Result<T, String> {
    let shown = without_credentials(text);
    (rule.read)(text).map_err(|right| match (rule.is_secret, shown.chars().count()) {
        (true, _) => format!("is not shown here; {right}"),
        (false, 0..=SHOWN_MAX) => format!("is {shown:?}; {right}"),
        (false, _) => format!("is {:?}…; {right}", shown.chars().take(SHOWN_MAX).collect::<String>()),
    })
}

/// A value without what may be a credential in a URL: what stands before an `@`, and the query.
fn without_credentials(text: &str) -> String {
    let shown = match text.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
            format!("{scheme}…@{host}")
        }
        None => text.to_owned(),
    };
    shown.split_once('?').map_or(shown.clone(), |(shown, _)| format!("{shown}?…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wrong value is shown, but not the credential in a URL, wherever it was written by mistake.
    #[test]
    fn a_wrong_value_is_shown_without_a_credential() {
        let rule = SettingRule::text(|_| Err::<(), _>("must be right".to_owned()));
        for (text, shown) in [
            ("wrong", "wrong"),
            ("https://host/", "https://host/"),
            ("https://user:s3cret@host/", "https://…@host/"),
            ("https://user:s3@cret@host/", "https://…@host/"),
            ("user:s3cret@host", "…@host"),
            ("https://host/?key=s3cret", "https://host/?…"),
            ("postgres://u:s3?cret@host/d?a=s3cret", "postgres://…@host/d?…"),
        ] {
            let detail = read_variable(text, &rule).unwrap_err();
            assert_eq!(detail, format!("is {shown:?}; must be right"));
        }
    }
}
