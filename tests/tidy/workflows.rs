//! What the workflows run is what was reviewed, and has no more rights than to read.

use crate::Breach;
use crate::tree::File;

/// Characters of a commit's id.
const COMMIT_LENGTH: usize = 40;

const BY_NAME: &str = "Its owner, or a thief of the account, can put other code behind a tag: name the action by its commit, with \
                       the version in a comment";
const ALL_RIGHTS: &str =
    "Without `permissions:` a workflow may write to the repository: begin with `contents: read`";

/// Actions of other repositories that are not named by a commit, and workflows that don't say their rights.
pub fn check(file: &File) -> Vec<Breach> {
    if !file.path.starts_with(".github/workflows/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    if !file.text.lines().any(|line| line.starts_with("permissions:")) {
        found.push(Breach::new(&file.path, 1, "the workflow doesn't say its rights", ALL_RIGHTS));
    }
    for (index, line) in file.text.lines().enumerate() {
        let Some(action) = line.trim_start().trim_start_matches("- ").strip_prefix("uses:") else { continue };
        let action = action.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let commit = action.rsplit_once('@').map_or("", |(_, commit)| commit);
        let is_commit = commit.len() == COMMIT_LENGTH && commit.chars().all(|c| c.is_ascii_hexdigit());
        if !is_commit && !action.starts_with("./") {
            let wrong = format!("the action `{action}` is not named by its commit");
            found.push(Breach::new(&file.path, index + 1, wrong, BY_NAME));
        }
    }
    found
}

#[test]
fn actions_are_named_by_their_commits_and_workflows_say_their_rights() {
    let text = "permissions:\n  contents: read\njobs:\n  a:\n    steps:\n      \
                - uses: actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8 # v6.0.1\n      - uses: ./own\n      \
                - name: a tag\n        uses: \"actions/cache@v4\"\n      - uses: actions/cache\n      \
                - run: echo uses: it\n";
    let tree = crate::tree::Tree::of(&[
        (".github/workflows/ci.yml", text),
        (".github/workflows/all.yml", "jobs:\n"),
        (".github/dependabot.yml", "uses: x@v1\n"),
    ]);
    let list: Vec<String> = tree.files().flat_map(check).map(|breach| breach.fact()).collect();
    assert_eq!(
        list,
        [
            ".github/workflows/ci.yml:9: the action `actions/cache@v4` is not named by its commit",
            ".github/workflows/ci.yml:10: the action `actions/cache` is not named by its commit",
            ".github/workflows/all.yml:1: the workflow doesn't say its rights",
        ]
    );
}
