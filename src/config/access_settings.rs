//! `[access]`: the callers that may use the API.

use std::path::PathBuf;

use super::caller_limits::CallerLimits;
use super::reader::Reader;
use super::{client_certificates, issuer_settings};
use crate::access::{CertificateRule, IssuerRules};
use crate::setting::{path, whole};

/// Where the callers' credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSettings {
    /// The TOML file of API keys; a relative path is relative to the working directory. There is one, or there are issuers or
    /// certificates.
    pub api_keys_file: Option<PathBuf>,
    /// The OpenID providers whose tokens are accepted.
    pub issuers: Vec<IssuerRules>,
    /// The callers that show a certificate over TLS.
    pub certificates: Vec<CertificateRule>,
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
        let certificates = client_certificates::read(reader);
        let share_percent = reader.or_default("access.share_percent", 80, &whole(1..=100));
        let limits = CallerLimits::read(reader);
        let none_otherwise =
            issuers.as_ref().is_some_and(Vec::is_empty) && certificates.as_ref().is_some_and(Vec::is_empty);
        if none_otherwise && matches!(api_keys_file, Ok(None)) {
            let what = "the file of API keys, without which no caller could authenticate (make one with \
                        `meeting-provisioner api-key`), unless there is an [[access.issuer]] of tokens or an [[access.client_certificate]]";
            reader.missing(KEY, what);
            return None;
        }
        Some(Self {
            api_keys_file: api_keys_file.ok()?,
            issuers: issuers?,
            certificates: certificates?,
            share_percent: share_percent?,
            limits: limits?,
        })
    }
}
