//! `[external_id]`: what external ids are derived from.

use uuid::Uuid;

use super::reader::Reader;
use crate::booking::{DEFAULT_NAMESPACE, Namespace};
use crate::setting::SettingRule;

/// How external ids are derived. Changing it makes every meeting there is unknown to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdSettings {
    /// The UUID namespace of all external ids of this installation.
    pub namespace: Namespace,
}

impl ExternalIdSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let rule = SettingRule::text(|text| {
            let wrong = || "must be a UUID such as 6f1d4b0e-3c5a-4f0b-9a67-5f0c2f6b7d21".to_owned();
            hyphenated(text).map(Namespace::new).ok_or_else(wrong)
        });
        let namespace = reader.or_default("external_id.namespace", DEFAULT_NAMESPACE, &rule)?;
        Some(Self { namespace })
    }
}

/// A UUID in its 36-character form and no other.
pub(super) fn hyphenated(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}
