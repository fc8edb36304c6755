//! Which known name was probably meant.

use strsim::levenshtein;

/// The known `section.key` that is most like the unknown one: a few letters off, or the same key of another section.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let key = |name: &str| name.rsplit_once('.').map_or(name, |(_, key)| key).to_owned();
    let tolerance = (unknown.len() / 5).clamp(1, 4);
    known
        .into_iter()
        .filter_map(|name| {
            let distance = levenshtein(unknown, name);
            let is_same_key = key(name) == key(unknown);
            (is_same_key || distance <= tolerance).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// The end of a fault: the name that was probably meant, if there is one.
#[must_use]
pub fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"))
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
            assert_eq!(nearest(unknown, known), expected, "{unknown}");
        }
    }
}
