//! The callers of the tests, each with a key of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A caller of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// `room-booking`, may write.
    Desk,
    /// `room-booking`, may read.
    Screen,
    /// `crm`, may write.
    OtherSystem,
    /// May read all source systems' bookings and history.
    Auditor,
    /// May operate.
    Operator,
    /// `room-booking`, has the role for erasure alone.
    Privacy,
    /// `room-booking`, has all roles.
    All,
    /// A key that isn't in the file.
    Stranger,
    /// No credential at all.
    Anonymous,
}

impl Who {
    /// The callers whose keys are in the file.
    pub const KNOWN: [Self; 7] = [
        Self::Desk,
        Self::Screen,
        Self::OtherSystem,
        Self::Auditor,
        Self::Operator,
        Self::Privacy,
        Self::All,
    ];

    /// The key, if this caller has one.
    pub fn key(self) -> Option<String> {
        (self != Self::Anonymous).then(|| format!("mpk_{:-<43}", format!("for-tests-{self:?}")))
    }

    /// The source system and the roles.
    fn grant(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Desk => ("room-booking", &["bookings.write"]),
            Self::Screen => ("room-booking", &["bookings.read"]),
            Self::OtherSystem => ("crm", &["bookings.write"]),
            Self::Auditor => ("audit", &["audit.read"]),
            Self::Operator => ("operations", &["operator"]),
            Self::Privacy => ("room-booking", &["privacy"]),
            Self::All => {
                ("room-booking", &["bookings.write", "bookings.read", "audit.read", "operator", "privacy"])
            }
            Self::Stranger | Self::Anonymous => unreachable!("{self:?} has no grant"),
        }
    }
}

/// The hash by which the file knows a key.
pub fn sha256_hex(key: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(key.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Writes the file of keys, with one more block.
pub fn write_keys(folder: &Path, block: &str) -> PathBuf {
    use std::fmt::Write as _;
    let mut text = format!("{block}\n");
    for who in Who::KNOWN {
        let (source_system, roles) = who.grant();
        let digest = sha256_hex(&who.key().unwrap());
        write!(
            text,
            "[[api_key]]\nname = \"{who:?}\"\nsource_system = \"{source_system}\"\nsha256 = \"{digest}\"\n\
             roles = {roles:?}\n\n"
        )
        .unwrap();
    }
    let path = folder.join("api-keys.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}
