//! The settings file of a test: what its text says, and that every source system may act for all, in channels, too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Table;

/// The variable that tells [`super::process::program`] of the file. The program itself doesn't know it.
pub const VARIABLE: &str = "TEST_SETTINGS_FILE";

/// What source systems may ask for who may ask for everything.
const REACH: &str = "organizers = [\"*\"]\nchannels = true\n";

/// A settings file.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    path: PathBuf,
    source_systems: BTreeSet<String>,
}

impl SettingsFile {
    /// In this folder; these source systems may ask for everything, unless a text says otherwise.
    pub fn new(folder: &Path, source_systems: BTreeSet<String>) -> Self {
        Self { path: folder.join("config.toml"), source_systems }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is, as [`super::process::program`] is told.
    pub fn variable(&self) -> (String, String) {
        (VARIABLE.to_owned(), self.path.to_str().unwrap().to_owned())
    }

    /// Writes it anew.
    pub fn write(&self, text: &str) {
        let said: Table = text.parse().unwrap();
        let mut text = text.to_owned();
        for name in &self.source_systems {
            let system = said.get("source_system").and_then(|systems| systems.get(name));
            let is_said = |line: &&str| system.is_some_and(|one| one.get(member(line)).is_some());
            let more: Vec<&str> = REACH.lines().filter(|line| !is_said(line)).collect();
            let more = more.join("\n") + "\n";
            let head = format!("[source_system.{name}]\n");
            match text.find(&head) {
                Some(at) => text.insert_str(at + head.len(), &more),
                None => text = format!("{text}\n{head}{more}"),
            }
        }
        std::fs::write(&self.path, text).unwrap();
    }
}

fn member(line: &str) -> &str {
    line.split(' ').next().unwrap()
}
