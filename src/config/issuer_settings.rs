//! `[[access.issuer]]`: the OpenID providers whose tokens are accepted.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;
use url::Url;

use super::reader::Reader;
use crate::access::{ClaimPath, IssuerRules, Role, SigningAlgorithm, SourceSystems};
use crate::booking::SourceSystem;
use crate::outbound::is_loopback;
use crate::setting::{FileFaults, SettingRule, TableReader, one_of};

const KEY: &str = "access.issuer";
const MEMBERS: [&str; 8] = [
    "name",
    "issuer",
    "audiences",
    "algorithms",
    "source_system_claim",
    "source_systems",
    "roles_claim",
    "roles",
];
/// What `source_systems` is where the claim itself is the source system.
const AS_CLAIMED: &str = "as-claimed";
/// Longest name of an issuer: it is part of each actor's name in the history.
const NAME_LENGTH_MAX: usize = 32;
/// Entra's addresses for tenants of all kinds: their keys sign the tokens of every tenant in the world.
const OF_ALL_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// Every issuer of the file. Their tables fit into no environment variable.
pub(super) fn read(reader: &mut Reader) -> Option<Vec<IssuerRules>> {
    let blocks = reader.blocks(KEY)?;
    let mut faults = reader.file_faults();
    let mut read = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let place = match block.get("name").and_then(Value::as_str) {
            Some(name) => format!("{KEY} {} ({name:?})", index + 1),
            None => format!("{KEY} {}", index + 1),
        };
        match block {
            Value::Table(table) => read.extend(one(TableReader::new(place, table, &MEMBERS, &mut faults))),
            _ => faults.note(place, "must be a block [[access.issuer]]"),
        }
    }
    find_twins(&read, &mut faults);
    let is_whole = faults.count() == 0;
    reader.note_all(faults);
    is_whole.then_some(read)
}

fn one(mut block: TableReader<'_>) -> Option<IssuerRules> {
    let text = |what: &'static str| {
        SettingRule::text(
            move |text| if text.is_empty() { Err(format!("must be {what}")) } else { Ok(text.to_owned()) },
        )
    };
    let name =
        block.required("name", "the issuer's name in history, log and metrics", &SettingRule::text(name));
    let about_issuer =
        "the claim iss of its tokens, such as https://login.microsoftonline.com/<tenant id>/v2.0";
    let issuer = block.required("issuer", about_issuer, &SettingRule::text(issuer));
    let about_audiences =
        "a list of what its tokens name this service by (aud), such as the application's client id";
    let audiences = block.list("audiences", about_audiences, &text("the audience of its tokens"));
    let algorithms = algorithms(&mut block);
    let claim = SettingRule::text(|text| {
        ClaimPath::parse(text)
            .ok_or_else(|| "must be a claim's name, or a JSON pointer such as /realm_access/roles".to_owned())
    });
    let about_claim =
        "the claim that names the application that calls: azp or appid of Entra's tokens, often client_id";
    let source_system_claim = block.required("source_system_claim", about_claim, &claim);
    let source_systems = source_systems(&mut block);
    let roles_claim =
        block.required("roles_claim", "the claim that holds the roles: roles, scp, groups", &claim);
    let roles = roles(&mut block);
    Some(IssuerRules {
        name: name?,
        issuer: issuer?,
        audiences: audiences?,
        algorithms: algorithms?,
        source_system_claim: source_system_claim?,
        source_systems: source_systems?,
        roles_claim: roles_claim?,
        roles: roles?,
    })
}

fn algorithms(block: &mut TableReader<'_>) -> Option<Vec<SigningAlgorithm>> {
    if block.value("algorithms").is_none() {
        return Some(SigningAlgorithm::ALL.to_vec());
    }
    let rule = one_of(SigningAlgorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm)));
    block.list("algorithms", "a list of signature algorithms", &rule)
}

/// A table of claim value → source system, or the word for the claim as it is. It has to be said, for with the word every
/// application that the issuer gives a token may call.
fn source_systems(block: &mut TableReader<'_>) -> Option<SourceSystems> {
    let what = format!(
        "a table {{ \"<claim value>\" = \"<source system>\" }}, or \"{AS_CLAIMED}\" where the claim is the source system's name"
    );
    let table = match block.value("source_systems") {
        Some(Value::String(word)) if word == AS_CLAIMED => return Some(SourceSystems::AsClaimed),
        Some(Value::Table(table)) if !table.is_empty() => table,
        found => {
            let wrong = if found.is_some() { "must be" } else { "is not set; it is" };
            block.note("source_systems", format!("{wrong} {what}"));
            return None;
        }
    };
    let mut read = BTreeMap::new();
    for (value, name) in table {
        match name.as_str().map(SourceSystem::parse) {
            Some(Ok(name)) => drop(read.insert(value.clone(), name)),
            Some(Err(fault)) => block.note(
                &format!("source_systems.{value:?}"),
                format!("is no source system's name: it {fault}"),
            ),
            None => {
                block.note(&format!("source_systems.{value:?}"), "must be a source system's name in quotes");
            }
        }
    }
    (read.len() == table.len()).then_some(SourceSystems::Listed(read))
}

/// A table of claim value → our roles; without it, our roles' own names are the values.
fn roles(block: &mut TableReader<'_>) -> Option<BTreeMap<String, Vec<Role>>> {
    let what = "a table { \"<claim value>\" = [\"<role>\"] }";
    let table = match block.value("roles") {
        None => {
            return Some(Role::ALL.into_iter().map(|role| (role.as_str().to_owned(), vec![role])).collect());
        }
        Some(Value::Table(table)) if !table.is_empty() => table,
        Some(_) => {
            block.note("roles", format!("must be {what}"));
            return None;
        }
    };
    let mut read = BTreeMap::new();
    for (value, granted) in table {
        let names: Vec<&Value> =
            granted.as_array().map_or_else(|| vec![granted], |list| list.iter().collect());
        let roles: Result<Vec<Role>, String> = names
            .into_iter()
            .map(|name| name.as_str().ok_or_else(|| format!("must be {what}"))?.parse::<Role>())
            .collect();
        match roles {
            Ok(roles) if !roles.is_empty() => drop(read.insert(value.clone(), roles)),
            Ok(_) => block.note(&format!("roles.{value:?}"), "names no role"),
            Err(detail) => block.note(&format!("roles.{value:?}"), detail),
        }
    }
    (read.len() == table.len()).then_some(read)
}

/// Issuers are distinguished by both in every token and in the history.
fn find_twins(issuers: &[IssuerRules], faults: &mut FileFaults) {
    let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for one in issuers {
        if !names.insert(&one.name) {
            faults.note(format!("{KEY} ({:?}).name", one.name), "another issuer has the same name");
        }
        if !addresses.insert(&one.issuer) {
            let detail =
                "another block has the same issuer; one block can list several audiences and source systems";
            faults.note(format!("{KEY} ({:?}).issuer", one.name), detail);
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    let is_part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=NAME_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_part) {
        return Ok(text.to_owned());
    }
    Err(format!("must be 1 to {NAME_LENGTH_MAX} characters of a-z, 0-9, '-', '_' and '.'"))
}

/// An issuer's address as it stands in its tokens, to the letter. Its keys are fetched below it, so it must be https.
fn issuer(text: &str) -> Result<String, String> {
    if text.contains(['{', '}']) {
        return Err("must be the issuer of one tenant: put the tenant's id in place of {tenantid}".to_owned());
    }
    let url = Url::parse(text)
        .map_err(|error| format!("must be an address such as https://host/path ({error})"))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err("must begin with https:// (http:// is allowed for loopback alone)".to_owned());
    }
    let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !is_bare || url.fragment().is_some() {
        return Err("must not have a user name, a password, a query or a fragment".to_owned());
    }
    let first = url.path_segments().and_then(|mut segments| segments.next().map(str::to_owned));
    if first.is_some_and(|first| OF_ALL_TENANTS.contains(&first.as_str())) {
        return Err("must name one tenant by its id: tokens of every tenant would have this issuer's keys; \
                    write a block for each tenant that may call"
            .to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[path = "issuer_settings_tests.rs"]
mod tests;
