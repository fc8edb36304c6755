//! `[access]`: the callers that may use the API.

use std::path::PathBuf;

use super::caller_limits::CallerLimits;
use super::issuer_settings;
use super::reader::Reader;
use crate::access::IssuerRules;
use crate::setting::{path, whole};

/// Where the callers' credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// The TOML file of API keys; a relative path is relative to the working directory. There is one, or there are issuers.
    pub api_keys_file: Option<PathBuf>,
    /// The OpenID providers whose tokens are accepted.
    pub issuers: Vec<IssuerRules>,
    /// How much of what a replica has few of one source system may hold, in percent of what others leave: requests at once,
    /// requests that wait, connections to Postgres, calls to Graph, the worker's slots. 100 where there is only one.
    pub share_percent: u32,
    /// How much each source system may ask for, where its own settings don't say.
    pub limits: CallerLimits,
}

impl AccessSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        const KEY: &str = "access.api_keys_file";
        let api_keys_file = reader.optional(KEY, &path());
        let issuers = issuer_settings::read(reader);
        let share_percent = reader.or_default("access.share_percent", 80, &whole(1..=100));
        let limits = CallerLimits::read(reader);
        if matches!((&api_keys_file, &issuers), (Ok(None), Some(issuers)) if issuers.is_empty()) {
            let what = "the file of API keys, without which no caller could authenticate (make one with \
                        `meeting-provisioner api-key`), unless there is an [[access.issuer]] of tokens";
            reader.missing(KEY, what);
            return None;
        }
        Some(Self {
            api_keys_file: api_keys_file.ok()?,
            issuers: issuers?,
            share_percent: share_percent?,
            limits: limits?,
        })
    }
}
