//! Reads `Retry-After`, in all the ways in which Graph has been seen to write it.

use std::time::Duration;

use time::OffsetDateTime;

use crate::clock::Timestamp;

/// The longest wait that is returned; what is longer, or too large to be a number, is cut to this.
const LONGEST: Duration = Duration::from_hours(24 * 365);
/// A header longer than this is no time.
const TEXT_MAX: usize = 64;

/// How long a `Retry-After` asks to wait, counted from `answered_at`: whole seconds, seconds with a fraction
/// (`2.128`, which Graph sends although RFC 9110 knows no such thing), or an HTTP date. A date that has passed
/// asks for no wait. None for what is neither, a negative number included.
pub(super) fn parse(text: &str, answered_at: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_MAX {
        return None;
    }
    seconds(text).or_else(|| until(text, answered_at)).map(|wait| wait.min(LONGEST))
}

/// When an answer was given by its `Date`, so that a difference between the two clocks doesn't count.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text.trim()).ok().map(OffsetDateTime::from)
}

fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let Ok(whole) = whole.parse::<u64>() else { return Some(LONGEST) };
    let nanoseconds = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some(Duration::new(whole, nanoseconds))
}

fn until(text: &str, answered_at: Timestamp) -> Option<Duration> {
    let wait = date(text)? - answered_at;
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-12-01 09:00:00 UTC);

    /// Whole, fractional, date in its three forms, past, absurd, and what is no time at all.
    #[test]
    fn every_way_of_writing_retry_after_is_read() {
        let milliseconds = |n| Some(Duration::from_millis(n));
        let table = [
            ("0", milliseconds(0)),
            ("120", milliseconds(120_000)),
            (" 7 ", milliseconds(7_000)),
            ("2.128", milliseconds(2_128)),
            ("0.5", milliseconds(500)),
            ("1.00000000099999", milliseconds(1_000)),
            ("Tue, 01 Dec 2026 09:00:30 GMT", milliseconds(30_000)),
            ("Tuesday, 01-Dec-26 09:00:30 GMT", milliseconds(30_000)),
            ("Tue Dec  1 09:00:30 2026", milliseconds(30_000)),
            ("Tue, 01 Dec 2026 08:00:00 GMT", milliseconds(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(LONGEST)),
            ("86400000000", Some(LONGEST)),
            ("99999999999999999999999999", Some(LONGEST)),
            ("", None),
            ("-5", None),
            ("+5", None),
            ("1e3", None),
            ("2,128", None),
            (".5", None),
            ("5.", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("٣", None),
            ("1.2.3", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text, NOW), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_reader(text in ".{0,80}") {
            let _ = parse(&text, NOW);
        }

        #[test]
        fn no_number_is_misread(seconds in 0_u32..31_536_000, thousandths in 0_u32..1_000) {
            let expected = Duration::from_millis(u64::from(seconds) * 1_000 + u64::from(thousandths));
            prop_assert_eq!(parse(&format!("{seconds}.{thousandths:03}"), NOW), Some(expected));
        }
    }
}
