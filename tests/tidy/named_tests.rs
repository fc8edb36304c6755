//! The tables of `SECURITY.md` can't rot: each test that it names exists, and each row names what shows its defence.
//!
//! `` `module::name` `` is a black-box test, `` `lib room::module::tests::name` `` one of the library, `` `simulator
//! module::name` `` one of `tests/simulator`, and so on; `` `.ci/run name` `` is a section of that script.

use crate::Breach;
use crate::source::is_word;
use crate::tree::Tree;

const DOCUMENT: &str = "SECURITY.md";
/// The head of the column that names what shows a defence; the last one of its table.
const COLUMN: &str = "shown by";
/// The script whose sections may show a defence, and how a code span names one.
const SCRIPT: &str = ".ci/run";

const GONE: &str =
    "Whom it should convince finds no proof: name the test as it is called now, or mend the claim";
const UNSHOWN: &str = "A defence without a test is a hope: name the test that shows it, or say under \
                       \"Not defended\" that there is none";

/// Each name of a test that isn't one, and each row that names none. That the document exists is held by the links to it.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let Some(document) = tree.file(DOCUMENT) else { return Vec::new() };
    let mut found = Vec::new();
    let mut in_table = false;
    for (index, line) in document.text.lines().enumerate() {
        let spans: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        for span in &spans {
            if exists(span, tree) == Some(false) {
                found.push(Breach::new(DOCUMENT, index + 1, format!("there is no test `{span}`"), GONE));
            }
        }
        let cell = line.trim().strip_prefix('|').and_then(|row| row.trim_end_matches('|').rsplit('|').next());
        let Some(cell) = cell.map(str::trim) else {
            in_table = false;
            continue;
        };
        if cell == COLUMN {
            in_table = true;
        } else if in_table && !cell.starts_with('-') {
            let is_shown = cell.split('`').skip(1).step_by(2).any(|span| exists(span, tree).is_some());
            if !is_shown {
                found.push(Breach::new(DOCUMENT, index + 1, "the row names no test", UNSHOWN));
            }
        }
    }
    found
}

/// Whether what a code span names exists; nothing where it names neither a test nor a section.
fn exists(span: &str, tree: &Tree) -> Option<bool> {
    if let Some(section) = span.strip_prefix(SCRIPT).and_then(|rest| rest.strip_prefix(' ')) {
        let text = tree.file(SCRIPT).map_or("", |script| &script.text);
        return Some(text.contains(&format!("[{section}]=")));
    }
    let test = TestPath::parse(span)?;
    Some(test.places().iter().any(|place| {
        let code = tree.file(&place.file).map_or("", |file| &file.code);
        has_test(code, test.function, place.is_inline)
    }))
}

/// A test by its path, as `cargo test` prints it.
struct TestPath<'a> {
    /// The folder of its crate.
    folder: String,
    /// The modules it is in, outermost first.
    modules: Vec<&'a str>,
    /// Its own name.
    function: &'a str,
}

/// A file that a test may stand in.
struct Place {
    file: String,
    /// Whether it stands inside `mod tests { … }` there.
    is_inline: bool,
}

impl<'a> TestPath<'a> {
    fn parse(span: &'a str) -> Option<Self> {
        let (target, path) = span.split_once(' ').unwrap_or(("blackbox", span));
        let mut modules: Vec<&str> = path.split("::").collect();
        let are_words = modules.iter().all(|part| !part.is_empty() && part.chars().all(is_word));
        let function = modules.pop()?;
        if modules.is_empty() || !are_words {
            return None;
        }
        let folder = if target == "lib" { "src".to_owned() } else { format!("tests/{target}") };
        Some(Self { folder, modules, function })
    }

    /// A module has its own file, or is `tests`: inside its parent's file, or in the one that is named for both.
    fn places(&self) -> Vec<Place> {
        let at = |modules: &[&str]| format!("{}/{}", self.folder, modules.join("/"));
        let mut files = vec![(format!("{}.rs", at(&self.modules)), false)];
        files.push((format!("{}/mod.rs", at(&self.modules)), false));
        if let [parents @ .., "tests"] = self.modules.as_slice() {
            let parent = at(parents);
            files.push((format!("{parent}_tests.rs"), false));
            files.push((format!("{parent}.rs"), true));
            files.push((format!("{parent}/mod.rs"), true));
        }
        files.into_iter().map(|(file, is_inline)| Place { file, is_inline }).collect()
    }
}

/// Whether code has such a function that bears the attribute of a test, inside `mod tests { … }` or not.
fn has_test(code: &str, function: &str, is_inline: bool) -> bool {
    code.match_indices(&format!("fn {function}(")).any(|(at, _)| {
        let before = &code[..at];
        let begins = before.rfind(['{', '}', ';']).map_or(0, |end| end + 1);
        let attributes = &before[begins..];
        let is_test =
            ["#[test]", "::test]", "::test("].iter().any(|attribute| attributes.contains(attribute));
        is_test && before.contains("mod tests {") == is_inline
    })
}

#[test]
fn a_test_that_is_named_and_does_not_exist_is_found() {
    let inline = "fn helper() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn inside() {}\n}\n";
    let text = "Try `serve`, `deploy/x.sql` and `a <b>::c`. See `limits::gone`.\n\n\
                | attack | shown by |\n| --- | --- |\n\
                | one | `limits::asked`, `lib store::row::tests::inside`, `lib store::key::tests::beside` |\n\
                | two | `simulator token::asked`, `.ci/run queries` |\n\
                | three | `lib store::row::inside`, `limits::helper`, `.ci/run nothing` |\n\
                | four `limits::asked` | nothing but `serve` |\n\n\
                | other | table |\n| --- | --- |\n| without | tests |\n";
    let tree = Tree::of(&[
        (DOCUMENT, text),
        (SCRIPT, "declare -A runs=(\n    [queries]=\".ci/prepare-sqlx --check\"\n)\n"),
        (
            "tests/blackbox/limits.rs",
            "#[tokio::test(flavor = \"x\")]\nasync fn asked() {}\nfn helper() {}\n// fn gone()",
        ),
        ("tests/simulator/token.rs", "/// It is.\n#[tokio::test]\nasync fn asked() {}\n"),
        ("src/store/row.rs", inline),
        ("src/store/key_tests.rs", "#[test]\nfn beside() {}\n"),
    ]);
    let list: Vec<String> = check(&tree).iter().map(Breach::fact).collect();
    assert_eq!(
        list,
        [
            "SECURITY.md:1: there is no test `limits::gone`",
            "SECURITY.md:7: there is no test `lib store::row::inside`",
            "SECURITY.md:7: there is no test `limits::helper`",
            "SECURITY.md:7: there is no test `.ci/run nothing`",
            "SECURITY.md:8: the row names no test",
        ]
    );
}
