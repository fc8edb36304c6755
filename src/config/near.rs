//! Which known name was probably meant.

/// The known `section.key` that is most like the unknown one: a few letters off, or the same key of another section.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let key = |name: &str| name.rsplit_once('.').map_or(name, |(_, key)| key).to_owned();
    let tolerance = (unknown.len() / 5).clamp(1, 4);
    known
        .filter_map(|name| {
            let distance = distance(unknown, name);
            let revision_mismatch = key(name) == key(unknown);
            (revision_mismatch || distance <= tolerance).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance, in bytes: setting names are ASCII.
fn distance(left: &str, right: &str) -> usize {
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.bytes().enumerate() {
        let mut diagonal = above[0];
        above[0] = row + 1;
        for (column, to) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = above[column + 1];
            above[column + 1] = replaced.min(diagonal + 1).min(above[column] + 1);
        }
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_or_misplaced_name_finds_what_was_meant() {
        let known = ["http.address", "http.admin_address", "graph.tenant_id", "graph.client_id"];
        for (unknown, expected) in [
            ("graph.tenent_id", Some("graph.tenant_id")),
            ("graph.tenantid", Some("graph.tenant_id")),
            ("grahp.tenant_id", Some("graph.tenant_id")),
            ("server.address", Some("http.address")),
            ("http.adress", Some("http.address")),
            ("graph.colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, known.into_iter()), expected, "{unknown}");
        }
    }

    #[test]
    fn distances_are_levenshteins() {
        for (left, right, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }
}
