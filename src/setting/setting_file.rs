//! The file that settings stand in.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The longest TOML file that is read, in bytes; some 4,000 API keys.
const TABLE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a TOML file. The error says what is wrong, without the path and without what stands in the file.
pub fn read_table(path: &Path) -> Result<toml::Table, String> {
    parse_table(&read_text(path, TABLE_BYTES_MAX)?)
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
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_string(&mut text))
        .map_err(|error| format!("can't be read: {error}"))?;
    if text.len() as u64 > bytes_max {
        return Err(format!("is longer than {bytes_max} bytes; is it the right file?"));
    }
    Ok(text)
}
