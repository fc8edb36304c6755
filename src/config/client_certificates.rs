//! `[[access.client_certificate]]`: the callers that show a certificate over TLS.

use std::collections::BTreeSet;

use toml::Value;

use super::reader::Reader;
use crate::access::{Caller, CallerName, CertificateIdentity, CertificateRule, Role};
use crate::booking::SourceSystem;
use crate::setting::{FileFaults, SettingRule, TableReader};

const KEY: &str = "access.client_certificate";
const MEMBERS: [&str; 6] = ["name", "dns", "uri", "subject", "source_system", "roles"];

/// Every such caller of the file. Their tables fit into no environment variable.
pub(super) fn read(reader: &mut Reader) -> Option<Vec<CertificateRule>> {
    let blocks = reader.blocks(KEY)?;
    let mut faults = reader.file_faults();
    let mut read = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let place = format!("{KEY} {}", index + 1);
        match block {
            Value::Table(table) => read.extend(one(TableReader::new(place, table, &MEMBERS, &mut faults))),
            _ => faults.note(place, "must be a block [[access.client_certificate]]"),
        }
    }
    find_twins(&read, &mut faults);
    let is_whole = faults.count() == 0;
    reader.note_all(faults);
    is_whole.then_some(read)
}

fn one(mut block: TableReader<'_>) -> Option<CertificateRule> {
    let name = SettingRule::text(|text| CallerName::of_certificate(text).map_err(|fault| fault.to_string()));
    let name = block.required("name", "the caller's name in the history and the log", &name);
    let identity = identity(&mut block);
    let source_system =
        SettingRule::text(|text| SourceSystem::parse(text).map_err(|fault| fault.to_string()));
    let source_system = block.required("source_system", "the caller's source system", &source_system);
    let role = SettingRule::text(str::parse::<Role>);
    let roles = block.list("roles", "a list of one or more roles", &role);
    let caller = Caller { name: name?, source_system: source_system?, roles: roles?.into_iter().collect() };
    Some(CertificateRule { identity: identity?, caller })
}

/// One of the three ways to name a certificate.
fn identity(block: &mut TableReader<'_>) -> Option<CertificateIdentity> {
    let text = SettingRule::text(|text| {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
    });
    let dns = SettingRule::text(|text| {
        if text.is_empty() || text.contains('*') {
            return Err("must be a whole name, without a wildcard".to_owned());
        }
        Ok(text.to_ascii_lowercase())
    });
    let named = [
        block.optional("dns", &dns).ok()?.map(CertificateIdentity::Dns),
        block.optional("uri", &text).ok()?.map(CertificateIdentity::Uri),
        block.optional("subject", &text).ok()?.map(CertificateIdentity::Subject),
    ];
    let mut named = named.into_iter().flatten();
    if let (Some(identity), None) = (named.next(), named.next()) {
        return Some(identity);
    }
    block.note(
        "dns",
        "exactly one of dns, uri and subject must be set: what the caller's certificate names it by",
    );
    None
}

fn find_twins(rules: &[CertificateRule], faults: &mut FileFaults) {
    let (mut names, mut identities) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        if !names.insert(&rule.caller.name) {
            faults
                .note(format!("{KEY} ({:?})", rule.caller.name.as_str()), "another block has the same name");
        }
        if !identities.insert(&rule.identity) {
            faults.note(
                format!("{KEY} ({:?})", rule.caller.name.as_str()),
                "another block names the same certificate",
            );
        }
    }
}
