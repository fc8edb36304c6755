//! The two texts in which metrics are scraped: `OpenMetrics`, and the Prometheus text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>), which every scraper reads.

use std::borrow::Cow;

/// In which text metrics are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// The Prometheus text format 0.0.4.
    Prometheus,
}

impl Exposition {
    /// The one that a header `Accept` prefers; the Prometheus text where it names neither.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let weights = accept.split(',').map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f64);
            (name, weight)
        });
        let (mut open, mut plain) = (0.0_f64, 0.0_f64);
        for (name, weight) in weights {
            match name.as_str() {
                "application/openmetrics-text" => open = open.max(weight),
                "text/plain" => plain = plain.max(weight),
                _ => {}
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its content type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// This text, made of one in `OpenMetrics`.
    pub(super) fn of_openmetrics(self, text: String) -> String {
        match self {
            Self::OpenMetrics => text,
            Self::Prometheus => prometheus_text(&text),
        }
    }
}

/// Here a family bears the name of its samples, with `_total` and `_info`; there are no units, no infos and no end.
fn prometheus_text(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    // The help of a family stands before its type, by which its name is known.
    let mut help: Option<(&str, &str)> = None;
    for line in open.lines() {
        if let Some(named) = line.strip_prefix("# HELP ") {
            help = named.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|named| named.split_once(' '))
        {
            let (name, kind) = match kind {
                "counter" => (Cow::from(format!("{name}_total")), kind),
                "info" => (Cow::from(format!("{name}_info")), "gauge"),
                _ => (Cow::from(name), kind),
            };
            if let Some((_, said)) = help.take() {
                text.extend(["# HELP ", &name, " ", said, "\n"]);
            }
            text.extend(["# TYPE ", &name, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus_2, Exposition::OpenMetrics),
            ("Application/OpenMetrics-Text; version=1.0.0", Exposition::OpenMetrics),
            ("application/openmetrics-text;q=0.5, text/plain;q=0.9", Exposition::Prometheus),
            ("application/openmetrics-text;q=0", Exposition::Prometheus),
            ("text/plain", Exposition::Prometheus),
            ("*/*", Exposition::Prometheus),
            ("", Exposition::Prometheus),
            (";;q=x,,", Exposition::Prometheus),
        ] {
            assert_eq!(Exposition::accepted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn families_bear_the_names_of_their_samples() {
        let open = "# HELP a_seconds Help of a.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1\n\
                    # HELP b The b.\n# TYPE b info\nb_info{v=\"1\"} 1\n# HELP c C.\n# TYPE c gauge\nc 2\n# EOF\n";
        let expected = "# HELP a_seconds_total Help of a.\n# TYPE a_seconds_total counter\na_seconds_total 1\n\
                        # HELP b_info The b.\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\n\
                        # HELP c C.\n# TYPE c gauge\nc 2\n";
        assert_eq!(prometheus_text(open), expected);
    }
}
