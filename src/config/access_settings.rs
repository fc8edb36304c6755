//! `[access]`: the callers that may use the API.

use std::path::PathBuf;

use super::reader::Reader;
use crate::setting::path;

/// Where the callers' credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// The TOML file of API keys; a relative path is relative to the working directory.
    pub api_keys_file: PathBuf,
}

impl AccessSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let what = "the file of API keys, without which no caller could authenticate (make one with \
                    `meeting-provisioner api-key`)";
        let api_keys_file = reader.required("access.api_keys_file", what, &path())?;
        Some(Self { api_keys_file })
    }
}
