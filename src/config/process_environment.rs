//! What the process was started with.

use std::ffi::OsString;

/// The environment variables of this process. What is not UTF-8 gets U+FFFD where it is not.
#[must_use]
pub fn process_environment() -> Vec<(String, String)> {
    let text = |part: OsString| part.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The folders in which programs are looked for (`PATH`), as the system wrote them.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the room that reads environment variables")]
pub fn process_search_path() -> Option<OsString> {
    std::env::var_os("PATH")
}
