//! Which known name was probably meant.

use strsim::levenshtein;

/// Longest name that is compared, in bytes: what is longer is like none, and comparing costs the product of the lengths.
const NAME_BYTES_MAX: usize = 64;

/// The known name that is most like the unknown one: the same but for letter case, `_` and `-`, or a few letters off; or, of
/// names like `section.key`, the same key of another section.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if unknown.len() > NAME_BYTES_MAX {
        return None;
    }
    let key = |name: &str| name.rsplit_once('.').map_or(name, |(_, key)| key).to_owned();
    let folded = fold(unknown);
    let tolerance = (folded.len() / 5).clamp(1, 4);
    known
        .into_iter()
        .filter_map(|name| {
            let distance = levenshtein(&folded, &fold(name));
            let is_same_key = key(name) == key(unknown);
            (is_same_key || distance <= tolerance).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The end of a fault: the name that was probably meant, if there is one.
#[must_use]
pub(crate) fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_or_misplaced_name_finds_what_was_meant() {
        let settings = ["http.address", "http.admin_address", "graph.tenant_id", "graph.client_id"];
        for (unknown, expected) in [
            ("graph.tenent_id", Some("graph.tenant_id")),
            ("graph.tenantid", Some("graph.tenant_id")),
            ("grahp.tenant_id", Some("graph.tenant_id")),
            ("server.address", Some("http.address")),
            ("http.adress", Some("http.address")),
            ("graph.colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, settings), expected, "{unknown}");
        }
        let members = ["organizer", "startDateTime", "endDateTime", "recordAutomatically", "sequence"];
        for (unknown, expected) in [
            ("organiser", Some("organizer")),
            ("ORGANIZER", Some("organizer")),
            ("end_date_time", Some("endDateTime")),
            ("start-datetime", Some("startDateTime")),
            ("recordAutomaticaly", Some("recordAutomatically")),
            ("sequense", Some("sequence")),
            ("title", None),
            ("ende", None),
        ] {
            assert_eq!(nearest(unknown, members), expected, "{unknown}");
        }
        assert_eq!(nearest(&"organizer".repeat(30_000), members), None);
    }
}
