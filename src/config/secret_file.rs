//! A secret in a file of its own, as Kubernetes and Docker hand secrets over.

use std::path::Path;

use secrecy::SecretString;

use crate::setting::read_text;

/// The longest secret that is read, in bytes. Entra's client secrets have some 40.
const BYTES_MAX: u64 = 4 * 1024;

/// Reads a secret; one line end after it is not part of it. The error says what is wrong with the file, never what
/// is in it.
pub(super) fn read(path: &Path) -> Result<SecretString, String> {
    let text = read_text(path, BYTES_MAX).map_err(|detail| format!("{} {detail}", path.display()))?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.trim().is_empty() {
        return Err(format!("{} is empty; it must hold the secret and nothing else", path.display()));
    }
    if secret.contains(['\n', '\r']) {
        return Err(format!("{} has more than one line; it must hold the secret alone", path.display()));
    }
    Ok(SecretString::from(secret))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Line ends are what editors and `echo` leave; anything else in the file is a mistake.
    #[test]
    fn one_line_end_is_taken_off_and_odd_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let long = "x".repeat(5_000);
        for (content, expected) in [
            ("s3cret", Ok("s3cret")),
            ("s3cret\n", Ok("s3cret")),
            ("s3cret\r\n", Ok("s3cret")),
            (" s3cret ", Ok(" s3cret ")),
            ("", Err("is empty")),
            ("\n", Err("is empty")),
            ("one\ntwo\n", Err("more than one line")),
            (long.as_str(), Err("longer than 4096 bytes")),
        ] {
            std::fs::write(&path, content).unwrap();
            match (read(&path), expected) {
                (Ok(secret), Ok(expected)) => assert_eq!(secret.expose_secret(), expected),
                (Err(detail), Err(expected)) => assert!(detail.contains(expected), "{detail}"),
                (found, expected) => panic!("{content:?}: {:?} {expected:?}", found.map(|_| "a secret")),
            }
        }
        assert!(read(&folder.path().join("absent")).unwrap_err().contains("can't be read"));
    }
}
