//! How commands print: lines that fit 80 columns for people, JSON lines for programs. Who reads them may stop to
//! (`| head`): that ends no command half-way, and is no fault.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::booking::is_invisible;
use crate::clock::Timestamp;

/// Lines end before this column, where words allow it.
const COLUMNS: usize = 80;

/// The first fault of standard output; nothing is written behind it.
static FAULT: OnceLock<io::Error> = OnceLock::new();

/// How a command is to print.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct PrintArguments {
    /// Print for programs: one JSON object a line, the last of which sums up
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints a line as `println!` does, but never panics.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::command::printing::line(format_args!($($text)*))
    };
}
pub(super) use say;

/// Prints one line; use `say!`.
pub(super) fn line(text: fmt::Arguments<'_>) {
    write(&format!("{text}\n"));
}

/// Prints text that brings its own line feeds. What may mislead a reader, or steer a terminal, is shown by its number: names and
/// texts come from callers and from Microsoft.
pub(super) fn write(text: &str) {
    put(&visible(text, |c| format!("\\u{{{:x}}}", u32::from(c))));
}

fn put(text: &str) {
    if is_read() {
        let mut output = io::stdout().lock();
        if let Err(error) = output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            // Set already only if another thread met the same fault.
            let _first = FAULT.set(error);
        }
    }
}

/// Prints one JSON line. Who reads it may be a person, too; as escapes of JSON the text stays the same for programs.
pub(super) fn json(value: &Value) {
    let escaped = |c: char| {
        let mut units = [0; 2];
        match *c.encode_utf16(&mut units) {
            [high, low] => format!("\\u{high:04x}\\u{low:04x}"),
            [unit] => format!("\\u{unit:04x}"),
            _ => String::new(),
        }
    };
    put(&format!("{}\n", visible(&value.to_string(), escaped)));
}

/// The text with each character written out that is not seen, or that changes how others are seen.
fn visible(text: &str, written: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(is_misleading) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if is_misleading(c) { visible.push_str(&written(c)) } else { visible.push(c) }
    }
    Cow::Owned(visible)
}

/// Control characters, which steer a terminal, but for our own line feeds and tabulators; what ends a line all the same; and what
/// is not seen, among it what turns the direction of writing.
fn is_misleading(c: char) -> bool {
    let is_ours = matches!(c, '\n' | '\t');
    (c.is_control() && !is_ours) || matches!(c, '\u{2028}' | '\u{2029}') || is_invisible(c)
}

/// Whether what is printed still arrives.
pub(super) fn is_read() -> bool {
    FAULT.get().is_none()
}

/// Says something on standard error; where that is closed, there is no other place.
pub(super) fn tell(text: &str) {
    let text = visible(text, |c| format!("\\u{{{:x}}}", u32::from(c)));
    let _closed = writeln!(io::stderr(), "{text}");
}

/// The status of a command that printed: its own, unless its output was lost (a full disk). A reader that went away took
/// what it wanted.
pub(super) fn status_of(status: ExitCode) -> ExitCode {
    match FAULT.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            tell(&format!("error: the output can't be written: {error}"));
            ExitCode::FAILURE
        }
        _ => status,
    }
}

/// A time as RFC 3339, in UTC.
pub(super) fn time_text(time: Timestamp) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// Text behind a label, in lines of at most 80 columns; each further line begins below the text, not below the label. A
/// command stays in one line, however long, so that it can be copied: what stands between backticks, and a line that
/// begins with a cmdlet (`Grant-CsApplicationAccessPolicy`).
pub(super) fn wrapped(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let mut lines = Vec::new();
    for line in text.trim_end().lines() {
        let inner = line.chars().take_while(|c| *c == ' ').count();
        let mut current = " ".repeat(inner);
        for word in unbreakable(line) {
            let is_first = current.trim_start().is_empty();
            if !is_first && indent + current.chars().count() + 1 + word.chars().count() > COLUMNS {
                lines.push(std::mem::replace(&mut current, " ".repeat(inner)));
                current.push_str(word);
                continue;
            }
            if !is_first {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    let indent = format!("\n{}", " ".repeat(indent));
    format!("{label}{}", lines.join(&indent).replace(&format!("{indent}\n"), "\n\n"))
}

/// The parts of a line that stay together.
fn unbreakable(line: &str) -> Vec<&str> {
    let line = line.trim_start_matches(' ');
    if line.split(' ').next().is_some_and(is_cmdlet) {
        return vec![line];
    }
    let mut is_quoted = false;
    let parts = line.split(move |c: char| {
        is_quoted ^= c == '`';
        c == ' ' && !is_quoted
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// `Verb-Noun`, as PowerShell names its commands.
fn is_cmdlet(word: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    };
    word.split_once('-').is_some_and(|(verb, noun)| is_name(verb) && is_name(noun) && noun.len() > 3)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn prose_is_wrapped_below_its_beginning_and_commands_stay_whole() {
        let prose = "word ".repeat(60);
        let text = wrapped("WRONG  token         ", &prose);
        assert!(text.lines().count() > 4, "{text}");
        for (index, line) in text.lines().enumerate() {
            let begins = if index == 0 { "WRONG  token         word" } else { "                     word" };
            assert!(line.starts_with(begins) && line.len() <= COLUMNS, "{line}");
            assert!(!line.ends_with(' '), "{line}");
        }
        let quoted = format!("{prose}run `meeting-provisioner {}` then", "retry --yes ".repeat(8).trim_end());
        assert!(wrapped("", &quoted).contains("retry --yes ".repeat(8).trim_end()), "{quoted}");
        let cmdlet = format!("Grant-CsApplicationAccessPolicy {}", "-Identity x ".repeat(8).trim_end());
        assert_eq!(wrapped("do ", &format!("Run:\n{cmdlet}")), format!("do Run:\n   {cmdlet}"));
    }

    #[test]
    fn lines_keep_their_own_indentation_and_odd_text_stays_what_it_is() {
        for (text, expected) in [
            ("", "do "),
            ("a\n  b", "do a\n     b"),
            ("a\n\nb", "do a\n\n   b"),
            ("a `b c", "do a `b c"),
            ("Änderung über ß", "do Änderung über ß"),
            ("No-one Is-a Re-do well-known", "do No-one Is-a Re-do well-known"),
        ] {
            assert_eq!(wrapped("do ", text), expected);
        }
        let long = "x".repeat(200);
        assert_eq!(wrapped("do ", &long), format!("do {long}"));
        assert_eq!(wrapped("do ", &format!("a {long} b")), format!("do a\n   {long}\n   b"));
    }

    /// Nothing that a caller or Microsoft sent turns, hides or overwrites what is printed; what is only foreign is printed as it is.
    #[test]
    fn what_misleads_a_reader_is_written_out() {
        let shown = |text: &str| visible(text, |c| format!("<{:x}>", u32::from(c))).into_owned();
        for (text, expected) in [
            ("moc.osotnoc@\u{202e}gem", "moc.osotnoc@<202e>gem"),
            ("a\u{2066}b\u{2069}", "a<2066>b<2069>"),
            ("\u{1b}[31mred\u{7}\r\u{9b}x\u{7f}", "<1b>[31mred<7><d><9b>x<7f>"),
            ("a\u{200b}b\u{200f}\u{61c}\u{feff}\u{2028}\u{e0041}", "a<200b>b<200f><61c><feff><2028><e0041>"),
            ("Änderung\n\tüber ß, 会議, שלום", "Änderung\n\tüber ß, 会議, שלום"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn times_can_be_sorted_as_text() {
        assert_eq!(time_text(datetime!(2026-11-26 1:31:42.7 UTC)), "2026-11-26T01:31:42.7Z");
    }
}
