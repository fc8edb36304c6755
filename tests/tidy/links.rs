//! Relative links of Markdown files lead somewhere.

use crate::Breach;
use crate::tree::{File, Tree, has_extension};

const INSTEAD: &str = "A reader who follows it finds an error page: name a file or folder of this repository, relative \
                       to the document, or take the link out";

/// Every relative link that leads nowhere.
pub fn check(file: &File, tree: &Tree) -> Vec<Breach> {
    if !has_extension(&file.path, "md") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut in_fence = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        if in_fence {
            continue;
        }
        for target in targets(line) {
            if !resolves(&file.path, target, tree) {
                let wrong = format!("the link `{target}` leads nowhere");
                found.push(Breach::new(&file.path, index + 1, wrong, INSTEAD));
            }
        }
    }
    found
}

/// What stands in the round brackets of `[words](target "title")`, outside of code.
fn targets(line: &str) -> Vec<&str> {
    let is_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    line.match_indices("](")
        .filter(|(at, _)| !is_code(*at))
        .filter_map(|(at, opening)| line[at + opening.len()..].split([')', ' ']).next())
        .collect()
}

fn resolves(from: &str, target: &str, tree: &Tree) -> bool {
    let is_elsewhere = target.starts_with('#') || target.starts_with("mailto:") || target.contains("://");
    if is_elsewhere {
        return true;
    }
    let path = target.split('#').next().unwrap_or(target).trim_end_matches('/');
    let mut places: Vec<&str> = from.split('/').collect();
    places.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                if places.pop().is_none() {
                    return false;
                }
            }
            name => places.push(name),
        }
    }
    tree.has(&places.join("/"))
}

#[test]
fn links_are_resolved_from_the_file_they_stand_in() {
    let text = "[a](../README.md#top) [b](decisions) [c](https://x.y/z) [d](#here)\n[e](gone.md) and [f](../../out.md)\n\
                `[g](gone.md)`\n```\n[h](gone.md)\n```\n![i](ARCHITECTURE.md \"title\")\n";
    let tree = Tree::of(&[("README.md", ""), ("docs/ARCHITECTURE.md", text), ("docs/decisions", "")]);
    let list: Vec<String> = tree.files().flat_map(|file| check(file, &tree)).map(|b| b.fact()).collect();
    assert_eq!(
        list,
        [
            "docs/ARCHITECTURE.md:2: the link `gone.md` leads nowhere",
            "docs/ARCHITECTURE.md:2: the link `../../out.md` leads nowhere",
        ]
    );
}
