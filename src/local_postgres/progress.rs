//! How a download goes, in words for a terminal.

use std::fmt;
use std::path::Path;

/// The cells of the bar.
const BAR_CELLS: u64 = 30;

/// What happens in a download. It displays as what to write to a terminal, line ends included.
#[derive(Debug, Clone, Copy)]
pub enum DownloadProgress<'a> {
    /// No programs of this machine can be used, so this is fetched.
    Begins {
        /// The archive.
        url: &'a str,
        /// Where it will stay.
        folder: &'a Path,
    },
    /// Some of it has arrived.
    Received {
        /// So many bytes.
        bytes: u64,
        /// Of so many, if the server said how many there are.
        bytes_total: Option<u64>,
    },
    /// No more will arrive, whether or not it was all.
    Ends,
}

impl fmt::Display for DownloadProgress<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Begins { url, folder } => writeln!(
                formatter,
                "No PostgreSQL of this machine can be used. Fetching {url}\nto keep it in {} …",
                folder.display()
            ),
            Self::Received { bytes, bytes_total: None } => {
                write!(formatter, "\r  {} MB", Megabytes(bytes))
            }
            Self::Received { bytes, bytes_total: Some(total) } => {
                let full = (bytes.min(total) * BAR_CELLS).checked_div(total).unwrap_or(BAR_CELLS);
                let [full, empty] = [("#", full), (".", BAR_CELLS - full)]
                    .map(|(cell, cells)| cell.repeat(usize::try_from(cells).unwrap_or_default()));
                write!(formatter, "\r  [{full}{empty}] {} of {} MB", Megabytes(bytes), Megabytes(total))
            }
            Self::Ends => writeln!(formatter),
        }
    }
}

/// Bytes as millions with one decimal.
struct Megabytes(u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0 / 100_000;
        write!(formatter, "{}.{}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_with_what_has_arrived() {
        let shown = |bytes, bytes_total| DownloadProgress::Received { bytes, bytes_total }.to_string();
        assert_eq!(shown(0, Some(15_000_000)), format!("\r  [{}] 0.0 of 15.0 MB", ".".repeat(30)));
        assert_eq!(
            shown(7_540_000, Some(15_000_000)),
            format!("\r  [{}{}] 7.5 of 15.0 MB", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(shown(9, Some(9)), format!("\r  [{}] 0.0 of 0.0 MB", "#".repeat(30)));
        assert_eq!(shown(0, Some(0)), format!("\r  [{}] 0.0 of 0.0 MB", "#".repeat(30)));
        assert_eq!(shown(1_250_000, None), "\r  1.2 MB");
    }
}
