//! What the process was started with.

use std::ffi::OsString;
use std::path::PathBuf;

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

/// The folder for what this user's programs can fetch again: `XDG_CACHE_HOME`, else the usual one in `HOME`. Without
/// either there is none: what lies in a folder that all users may write to must not be run.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the room that reads environment variables")]
pub fn process_cache_dir() -> Option<PathBuf> {
    // The XDG Base Directory Specification: a relative path is to be ignored.
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(usual)))
}
