//! The files of the repository, read once.

use std::fs;
use std::io;
use std::path::Path;

use crate::source;

/// Folders whose content is not ours to judge; hidden ones neither, apart from [`HIDDEN`].
const SKIPPED: [&str; 3] = ["target", "node_modules", "snapshots"];

/// Hidden folders that are ours.
const HIDDEN: [&str; 3] = [".ci", ".cargo", ".github"];

/// One text file.
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    /// As it is on disk.
    pub text: String,
    /// The same with comments and literals blanked, when it is Rust; see [`source::blank`].
    pub code: String,
}

impl File {
    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        has_extension(&self.path, "rs")
    }

    /// The room a file of `src` belongs to: `store` for `src/store/reading.rs`; `main` and `lib` for the two roots.
    pub fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        Some(inside.split('/').next()?.trim_end_matches(".rs"))
    }
}

/// All text files of the repository.
pub struct Tree {
    files: Vec<File>,
    /// Paths that links may lead to: every file, text or not, and every folder.
    places: Vec<String>,
}

impl Tree {
    /// Reads everything below a folder, apart from build output and snapshots.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self { files: Vec::new(), places: Vec::new() };
        tree.descend(root, "")?;
        Ok(tree)
    }

    /// A tree for a test: paths and contents.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self { files: Vec::new(), places: Vec::new() };
        for (path, text) in files {
            tree.add((*path).to_owned(), (*text).to_owned());
        }
        tree
    }

    fn descend(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == ".git" {
                continue; // a folder, or a file in a second work tree
            }
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.places.push(path.clone());
                let is_ours =
                    if name.starts_with('.') { HIDDEN.contains(&&*name) } else { !SKIPPED.contains(&&*name) };
                if is_ours {
                    self.descend(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file() {
                match String::from_utf8(fs::read(entry.path())?) {
                    Ok(text) => self.add(path, text),
                    Err(_not_text) => self.places.push(path),
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, text: String) {
        let code = if has_extension(&path, "rs") { source::blank(&text) } else { String::new() };
        self.places.push(path.clone());
        self.files.push(File { path, text, code });
    }

    /// All text files.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// All Rust files: sources, tests and benchmarks.
    pub fn rust_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether a path names a file or a folder.
    pub fn has(&self, path: &str) -> bool {
        path.is_empty() || self.places.iter().any(|place| place == path)
    }

    /// The rooms that exist in `src`, once each, without the two roots.
    pub fn rooms(&self) -> Vec<&str> {
        let mut rooms: Vec<&str> = self.rust_files().filter_map(File::room).collect();
        rooms.retain(|room| *room != "lib" && *room != "main" && *room != "bin");
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }
}

/// Whether a path ends in an extension.
pub fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

#[test]
fn a_file_belongs_to_the_room_of_its_first_folder() {
    let tree = Tree::of(&[
        ("src/store/writing/accept.rs", ""),
        ("src/clock.rs", ""),
        ("src/lib.rs", ""),
        ("tests/a.rs", ""),
    ]);
    let rooms: Vec<_> = tree.files().map(File::room).collect();
    assert_eq!(rooms, [Some("store"), Some("clock"), Some("lib"), None]);
    assert_eq!(tree.rooms(), ["clock", "store"]);
}
