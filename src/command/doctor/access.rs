//! Who may call: the file of API keys, and the issuers of tokens.

use std::time::Duration;

use super::findings::{Finding, Findings};
use super::reach;
use crate::access::{ApiKeys, AskedIssuer, IssuerRules, KeysFile, SigningAlgorithm, ask_issuer};
use crate::clock::Timestamp;
use crate::command::assembly;
use crate::command::printing::time_text;
use crate::config::Settings;
use crate::error_chain::chain;

/// A key that ends so soon is named.
const ENDS_SOON: Duration = Duration::from_hours(14 * 24);

/// Checks the file of API keys, and asks each issuer for its keys.
pub(super) async fn check(settings: &Settings, now: Timestamp, findings: &mut Findings) {
    let issuers = &settings.access.issuers;
    let are_alone = issuers.is_empty() && settings.access.certificates.is_empty();
    let file = assembly::keys_file(settings);
    let keys = file.and_then(|file| check_keys(&file, are_alone, now, findings));
    let certificates = settings.access.certificates.len();
    if certificates > 0 {
        check_authority(settings, certificates, findings);
    }
    reach::check(settings, keys.as_ref(), findings);
    for issuer in issuers {
        check_issuer(issuer, findings).await;
    }
}

/// No client shows a certificate where TLS asks for none.
fn check_authority(settings: &Settings, certificates: usize, findings: &mut Findings) {
    let authorities = settings.http.certificate.as_ref().and_then(|files| files.client_authorities.as_ref());
    match authorities {
        Some(file) => {
            let detail = format!("{certificates} callers by certificates of {}", file.display());
            findings.good("certificates", &detail);
        }
        None => findings.bad(&Finding {
            subject: "certificates",
            wrong: "there are blocks [[access.client_certificate]], and http.tls_client_ca_file is not set"
                .to_owned(),
            means: "The service asks its clients for no certificate: these callers are answered 401."
                .to_owned(),
            remedy: "Set http.tls_client_ca_file to the authority of their certificates.".to_owned(),
        }),
    }
}

/// The keys that are in force, if the file could be read.
fn check_keys(file: &KeysFile, are_alone: bool, now: Timestamp, findings: &mut Findings) -> Option<ApiKeys> {
    let read = ApiKeys::read(&file.path, file.published_key);
    let path = file.path.display();
    if !read.faults.0.is_empty() {
        let means = if read.keys.is_some() {
            "A block with a fault gives no key: its caller is refused. All others are in force."
        } else {
            "The service does not start. One that runs keeps the keys it had, but for those that the file revokes."
        };
        findings.bad(&Finding {
            subject: "API keys",
            wrong: read.faults.to_string(),
            means: means.to_owned(),
            remedy: "Correct the file; `meeting-provisioner api-key` prints blocks that fit.".to_owned(),
        });
    }
    let keys = read.keys?;
    if keys.count() == 0 && are_alone {
        findings.bad(&Finding {
            subject: "API keys",
            wrong: format!("no key of {path} is in force"),
            means: "No caller can use the service.".to_owned(),
            remedy: "Make a key with `meeting-provisioner api-key` and paste the block it prints.".to_owned(),
        });
    } else if read.faults.0.is_empty() {
        findings.good("API keys", &format!("{} in {path}", keys.count()));
    }
    if read.is_world_readable {
        let detail = format!(
            "any user of this machine may read {path}; it holds hashes only, but chmod 640 is better"
        );
        findings.note("API keys", &detail);
    }
    for key in keys.each() {
        let name = key.caller.name.as_str();
        match key.not_after {
            Some(end) if end <= now => {
                findings.note(
                    "API keys",
                    &format!("{name:?} has ended, at {}: its caller is refused", time_text(end)),
                );
            }
            Some(end) if end - now <= ENDS_SOON => {
                let detail =
                    format!("{name:?} ends at {}: give its caller the next key before", time_text(end));
                findings.note("API keys", &detail);
            }
            _ => {}
        }
    }
    Some(keys)
}

async fn check_issuer(rules: &IssuerRules, findings: &mut Findings) {
    let name = &rules.name;
    let remedy = "Check access.issuer in the settings, firewall, proxy and name resolution. API keys and tokens of other \
                  issuers are not affected.";
    match ask_issuer(rules).await {
        Ok(AskedIssuer { keys, algorithms, unusable }) if !algorithms.is_empty() => {
            let algorithms: Vec<_> = algorithms.into_iter().map(SigningAlgorithm::as_str).collect();
            let left_out = if unusable.is_empty() { String::new() } else { format!("; not usable: {}", unusable.join(", ")) };
            let detail = format!("{name} tells of {keys} keys at {} ({}){left_out}", rules.issuer, algorithms.join(", "));
            findings.good("tokens", &detail);
        }
        Ok(AskedIssuer { keys, .. }) => findings.bad(&Finding {
            subject: "tokens",
            wrong: format!("none of the {keys} keys of {name} is for an algorithm that its block lists"),
            means: "Every token of this issuer is refused.".to_owned(),
            remedy: "Correct `algorithms` in its [[access.issuer]], or leave it out.".to_owned(),
        }),
        Err(fault) => findings.bad(&Finding {
            subject: "tokens",
            wrong: format!("{name}: {}", chain(&fault)),
            means: "Its tokens are answered 503 issuer-unavailable until its keys can be fetched; replicas that know its keys \
                    keep them for 24 hours."
                .to_owned(),
            remedy: remedy.to_owned(),
        }),
    }
}
