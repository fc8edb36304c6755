//! The header `traceparent` of W3C Trace Context (level 1, <https://www.w3.org/TR/trace-context-1/>): which trace a
//! request belongs to.

use std::fmt;

/// The id of a whole trace; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// The id of one span of a trace; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A place in a trace. Shown as the header `traceparent`, in version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: TraceId,
    parent_id: SpanId,
    is_sampled: bool,
}

impl TraceParent {
    /// Reads the header. `None` for what the standard calls invalid. A version above
    /// 00 is read by its first four fields, as the standard asks.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (fields, rest) = header.split_at_checked(55)?;
        let [version, trace_id, parent_id, flags] = fields.split('-').collect::<Vec<_>>().try_into().ok()?;
        let version = hex(version, 2)?;
        let fits_version = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let trace_id = hex(trace_id, 32)?;
        let parent_id = u64::try_from(hex(parent_id, 16)?).ok()?;
        let is_sampled = hex(flags, 2)? & 1 == 1;
        let is_valid = fits_version && trace_id != 0 && parent_id != 0;
        is_valid.then_some(Self { trace_id: TraceId(trace_id), parent_id: SpanId(parent_id), is_sampled })
    }

    /// The whole trace's id.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.trace_id
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.parent_id, u8::from(self.is_sampled))
    }
}

/// Lower-case hexadecimal of exactly so many digits; upper case is invalid by the standard.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && text.len() == digits).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    /// Sections 3.2.2 (fields) and 3.2.4 (versions) of the standard, case by case; `Some` is what is handed on.
    #[test]
    fn headers_are_read_as_the_standard_says() {
        let sampled = format!("00-{TRACE}-{SPAN}-01");
        let unsampled = format!("00-{TRACE}-{SPAN}-00");
        for (header, expected) in [
            (sampled.clone(), Some(&sampled)),
            (unsampled.clone(), Some(&unsampled)),
            (format!("00-{TRACE}-{SPAN}-ff"), Some(&sampled)),
            (format!("00-{TRACE}-{SPAN}-02"), Some(&unsampled)),
            (format!("cc-{TRACE}-{SPAN}-01"), Some(&sampled)),
            (format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings"), Some(&sampled)),
            (format!("cc-{TRACE}-{SPAN}-01."), None),
            (format!("00-{TRACE}-{SPAN}-01-more"), None),
            (format!("ff-{TRACE}-{SPAN}-01"), None),
            (format!("0-{TRACE}-{SPAN}-001"), None),
            (format!("00-{}-{SPAN}-01", "0".repeat(32)), None),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), None),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-{}-01", SPAN.to_uppercase()), None),
            (format!("00-{TRACE}-{SPAN}-0g"), None),
            (format!("00-{TRACE}-{SPAN}-1"), None),
            (format!("00-{TRACE}-{SPAN}"), None),
            (format!("00_{TRACE}_{SPAN}_01"), None),
            (format!(" 00-{TRACE}-{SPAN}-01"), None),
            (format!("+0-{TRACE}-{SPAN}-01"), None),
            ("é".repeat(40), None),
            (String::new(), None),
        ] {
            let found = TraceParent::parse(&header).map(|parent| parent.to_string());
            assert_eq!(found.as_ref(), expected, "{header}");
        }
    }

    #[test]
    fn a_place_in_a_trace_knows_its_trace() {
        let parent = TraceParent::parse(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        assert_eq!(parent.trace_id().to_string(), TRACE);
    }
}
