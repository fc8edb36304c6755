//! The fenced blocks of a document.

use std::path::Path;

/// One fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBlock {
    /// The document, from the root of the repository, and the line of the opening fence.
    pub place: String,
    /// The heading under which it stands.
    pub heading: String,
    /// The language after the opening fence; empty if none is named.
    pub language: String,
    /// Its lines, each with a line feed.
    pub text: String,
}

/// All fenced blocks of a document of this repository, in its order.
pub fn code_blocks(document: &str) -> Vec<CodeBlock> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    blocks_of(document, &text)
}

/// The only block of this language under a heading.
pub fn block_under(document: &str, heading: &str, language: &str) -> String {
    let mut found = code_blocks(document);
    found.retain(|block| block.heading == heading && block.language == language);
    let [only] = found.as_slice() else { panic!("{document}, {heading}: {found:?}") };
    only.text.clone()
}

fn blocks_of(document: &str, text: &str) -> Vec<CodeBlock> {
    let mut found = Vec::new();
    let (mut heading, mut open) = (String::new(), None::<CodeBlock>);
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, Some(language)) => {
                open = Some(CodeBlock {
                    place: format!("{document}:{}", index + 1),
                    heading: heading.clone(),
                    language: language.trim().to_owned(),
                    text: String::new(),
                });
            }
            (None, None) if line.starts_with('#') => {
                line.trim_start_matches('#').trim().clone_into(&mut heading);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{document} ends within a block: {open:?}");
    found
}

/// Blocks are told apart by place, heading and language; a `#` within one is no heading.
#[test]
fn blocks_are_read_with_their_headings() {
    let found = blocks_of("a.md", "# A\n```sh\n# no heading\ncurl\n```\ntext\n## B\n```\nx\n```\n");
    let block = |place: &str, heading: &str, language: &str, text: &str| CodeBlock {
        place: place.to_owned(),
        heading: heading.to_owned(),
        language: language.to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(found, [block("a.md:2", "A", "sh", "# no heading\ncurl\n"), block("a.md:8", "B", "", "x\n")]);
}
