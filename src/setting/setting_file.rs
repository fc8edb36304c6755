//! The file that settings stand in.

use std::fs::File;
use std::io::{Error, Read, Result as IoResult};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// The longest TOML file that is read, in bytes; some 4,000 API keys.
const TABLE_BYTES_MAX: u64 = 1024 * 1024;

/// A file that decides who may do what.
#[derive(Debug)]
pub struct GuardedText {
    /// What it says.
    pub text: String,
    /// Whether any user of the machine may read it.
    pub is_world_readable: bool,
}

/// The text of a TOML file that decides who may do what: it is refused where any user of the machine may write it. The
/// error says what is wrong, without the path and without what stands in the file.
pub fn read_guarded_text(path: &Path) -> Result<GuardedText, String> {
    let file = open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o002 != 0 {
        return Err(format!(
            "may be written by any user (mode {:03o}); allow it to the owner alone: chmod 640",
            mode & 0o777
        ));
    }
    Ok(GuardedText { text: text_of(file, TABLE_BYTES_MAX)?, is_world_readable: mode & 0o004 != 0 })
}

/// The text of a TOML file. The error says what is wrong, without the path.
pub fn read_table_text(path: &Path) -> Result<String, String> {
    read_text(path, TABLE_BYTES_MAX)
}

/// Most lines that are left out because they are not TOML.
const BROKEN_LINES_MAX: usize = 20;

/// Reads what of a text is TOML, and tells each line that isn't. With the head of a section that is broken all of the
/// section is left out, for its lines would count as the section's before it.
pub fn parse_what_is_toml(text: &str) -> (toml::Table, Vec<String>) {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut faults = Vec::new();
    loop {
        let error = match lines.join("\n").parse::<toml::Table>() {
            Ok(table) => return (table, faults),
            Err(error) => error,
        };
        let rest = lines.join("\n");
        let at = error.span().map_or(0, |span| rest[..span.start.min(rest.len())].matches('\n').count());
        faults.push(format!("line {} is not TOML: {}", at + 1, error.message()));
        let left_out = lines.get(at).is_some_and(|line| !line.is_empty());
        if !left_out || faults.len() == BROKEN_LINES_MAX {
            return (toml::Table::new(), faults);
        }
        let is_head = |line: &str| line.trim_start().starts_with('[');
        let whole_section = is_head(lines[at]);
        lines[at] = "";
        if whole_section {
            lines[at..].iter_mut().take_while(|line| !is_head(line)).for_each(|line| *line = "");
        }
    }
}

/// Reads TOML. The parser's own error would quote the line, and the line may hold a secret.
pub fn parse_table(text: &str) -> Result<toml::Table, String> {
    text.parse::<toml::Table>().map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        format!("line {line} is not TOML: {}", error.message())
    })
}

/// Reads a text file that is not longer than so many bytes. The error says what is wrong, without the path.
pub fn read_text(path: &Path, bytes_max: u64) -> Result<String, String> {
    text_of(open(path).map_err(unreadable)?, bytes_max)
}

fn text_of(file: File, bytes_max: u64) -> Result<String, String> {
    String::from_utf8(bytes_of(file, bytes_max)?)
        .map_err(|_| "can't be read: stream did not contain valid UTF-8".to_owned())
}

/// Reads a file that is not longer than so many bytes. The error says what is wrong, without the path.
pub fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    bytes_of(open(path).map_err(unreadable)?, bytes_max)
}

fn bytes_of(file: File, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("is longer than {bytes_max} bytes; is it the right file?"));
    }
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unreadable(error: Error) -> String {
    format!("can't be read: {error}")
}

/// Opens a regular file; a symbolic link may lead to it, as Kubernetes makes them. A device may never end, and a named pipe
/// would wait for one that writes to it, so it is opened without waiting and looked at then: what it was before may be
/// exchanged meanwhile.
fn open(path: &Path) -> IoResult<File> {
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(without_waiting).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Error::other("it is not a regular file")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no regular file is refused at once, and a link to one is followed.
    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        assert_eq!(read_text(&at("link"), 9), Ok("text".to_owned()));
        for path in [at("pipe"), folder.path().to_owned(), "/dev/zero".into()] {
            let detail = read_text(&path, 9).unwrap_err();
            assert!(detail.ends_with("it is not a regular file"), "{}: {detail}", path.display());
        }
    }

    /// What can't be mended by leaving out lines ends, with no value that is not there.
    #[test]
    fn what_is_no_toml_at_all_ends_in_faults() {
        let endless = "= \n".repeat(100);
        for text in
            ["\"\"\"", "a = [\n1,\n", "{}\n{}\n", "\u{0}", "[[", "x = \"\"\"\n[graph]\nid = 1\n", &endless]
        {
            let (_, faults) = parse_what_is_toml(text);
            assert!((1..=BROKEN_LINES_MAX).contains(&faults.len()), "{text:?}: {faults:?}");
            assert!(faults.iter().all(|fault| fault.contains("is not TOML")), "{faults:?}");
        }
        let (table, faults) = parse_what_is_toml("a = 1\nb = \n[c\nd = 2\n[e]\nf = 3\n");
        let expected: toml::Table = "a = 1\n[e]\nf = 3\n".parse().unwrap();
        assert_eq!((table, faults.len()), (expected, 2), "{faults:?}");
    }
}
