//! Rust sources with everything blanked that is not code, so that a rule about code is not misled by words.

/// The source with comments, strings and character literals replaced by spaces; lines stay where they were.
pub fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = end_of_opaque(&characters, at);
        if end > at {
            code.extend(characters[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else if is_word(characters[at]) {
            // A whole word at once: the `r` of `for` starts no raw string.
            while at < characters.len() && is_word(characters[at]) {
                code.push(characters[at]);
                at += 1;
            }
        } else {
            code.push(characters[at]);
            at += 1;
        }
    }
    code
}

/// Whether a character can be part of an identifier.
pub fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// The line, counted from one, of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Where the comment or literal that starts here ends; here itself when none starts.
fn end_of_opaque(text: &[char], at: usize) -> usize {
    let next = text.get(at + 1).copied().unwrap_or('\0');
    match text[at] {
        '/' if next == '/' => end_of_line(text, at),
        '/' if next == '*' => end_of_block_comment(text, at),
        '"' => end_of_quoted(text, at, '"'),
        '\'' => end_of_character(text, at),
        'b' if next == '"' => end_of_quoted(text, at + 1, '"'),
        'b' if next == '\'' => end_of_quoted(text, at + 1, '\''),
        'r' if next == '"' || next == '#' => end_of_raw(text, at, at + 1),
        'b' | 'c' if next == 'r' => end_of_raw(text, at, at + 2),
        'c' if next == '"' => end_of_quoted(text, at + 1, '"'),
        _ => at,
    }
}

fn end_of_line(text: &[char], at: usize) -> usize {
    text[at..].iter().position(|c| *c == '\n').map_or(text.len(), |length| at + length)
}

fn end_of_block_comment(text: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here < text.len() {
        match text[here..] {
            ['/', '*', ..] => (depth, here) = (depth + 1, here + 2),
            ['*', '/', ..] if depth == 1 => return here + 2,
            ['*', '/', ..] => (depth, here) = (depth - 1, here + 2),
            _ => here += 1,
        }
    }
    text.len()
}

/// `at` is the opening quote.
fn end_of_quoted(text: &[char], at: usize, quote: char) -> usize {
    let mut here = at + 1;
    while here < text.len() {
        match text[here] {
            '\\' => here += 2,
            c if c == quote => return here + 1,
            _ => here += 1,
        }
    }
    text.len()
}

/// A character literal, as opposed to a lifetime, is closed after one character or one escape.
fn end_of_character(text: &[char], at: usize) -> usize {
    match text[at + 1..] {
        ['\\', ..] => end_of_quoted(text, at, '\''),
        [_, '\'', ..] => at + 3,
        _ => at,
    }
}

/// `hashes` is where the hashes of `r#"…"#` begin. A raw identifier (`r#type`) is not a string.
fn end_of_raw(text: &[char], at: usize, hashes: usize) -> usize {
    let count = text[hashes..].iter().take_while(|c| **c == '#').count();
    if text.get(hashes + count) != Some(&'"') {
        return at;
    }
    let mut here = hashes + count + 1;
    while here < text.len() {
        let closed = text[here] == '"' && text[here + 1..].iter().take_while(|c| **c == '#').count() >= count;
        if closed {
            return here + 1 + count;
        }
        here += 1;
    }
    text.len()
}

#[test]
fn comments_and_literals_are_blanked_and_code_stays_in_its_place() {
    let source =
        "let a = \"crate::x \\\" \"; // crate::y\n/* a /* b */ c */ let b = 'x';\nfn f<'a>(r: &'a str) {}\n";
    let expected =
        "let a =               ;            \n                  let b =    ;\nfn f<'a>(r: &'a str) {}\n";
    assert_eq!(blank(source), expected);
}

#[test]
fn raw_strings_end_at_their_own_hashes_and_raw_identifiers_are_code() {
    assert_eq!(
        blank("r#\"a \" b\"# + r#type + br\"\\\" + b'\\'' + for_r"),
        "           + r#type +       +       + for_r"
    );
}

#[test]
fn lines_are_counted_from_one() {
    assert_eq!([line_of("a\nb\n", 0), line_of("a\nb\n", 2), line_of("a\nb\n", 4)], [1, 2, 3]);
}
