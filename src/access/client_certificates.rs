//! Callers that TLS knows by the certificates that they show.
//!
//! TLS has verified the chain up to the given authority, that the caller has the private key, and that the certificate was good
//! when the connection was made. Here its name decides who the caller is, and its end is looked at for each request, for a
//! connection may outlive it.

use std::cell::OnceCell;
use std::rc::Rc;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::authentication_fault::AuthenticationFault;
use super::caller::Caller;
use crate::clock::Timestamp;

/// What a certificate names its owner by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateIdentity {
    /// A name of its subject alternative names, in lower case; a wildcard names no caller.
    Dns(String),
    /// A URI of its subject alternative names, to the letter, such as a SPIFFE id.
    Uri(String),
    /// Its whole subject, as `openssl x509 -noout -subject -nameopt RFC2253` reads backwards: `CN=front-desk, O=Contoso`.
    Subject(String),
}

/// One caller with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRule {
    /// What its certificate names it by.
    pub identity: CertificateIdentity,
    /// Who it is.
    pub caller: Caller,
}

/// The certificate that the client of a connection has shown, once TLS is agreed on; all of it is of one thread.
#[derive(Debug, Clone, Default)]
pub struct PeerCertificate(Rc<OnceCell<Box<[u8]>>>);

impl PeerCertificate {
    /// The client has shown this one (DER), and its chain is verified.
    pub fn set(&self, der: &[u8]) {
        let _first = self.0.set(der.into());
    }

    /// The certificate, if one was shown.
    #[must_use]
    pub fn der(&self) -> Option<&[u8]> {
        self.0.get().map(Box::as_ref)
    }
}

/// The caller that a verified certificate names.
pub(super) fn caller_of(
    rules: &[CertificateRule],
    der: &[u8],
    now: Timestamp,
) -> Result<Caller, AuthenticationFault> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|_| AuthenticationFault::UnknownCertificate)?;
    let names = identities(&certificate);
    let mut matching = rules.iter().filter(|rule| names.contains(&rule.identity));
    let caller = match (matching.next(), matching.next()) {
        (Some(rule), None) => rule.caller.clone(),
        // Of a certificate that names two callers it can't be said who calls.
        _ => return Err(AuthenticationFault::UnknownCertificate),
    };
    if now.unix_timestamp() > certificate.validity().not_after.timestamp() {
        return Err(AuthenticationFault::EndedCertificate(caller.name));
    }
    Ok(caller)
}

fn identities(certificate: &X509Certificate<'_>) -> Vec<CertificateIdentity> {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative =
        alternative.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let named = alternative.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(CertificateIdentity::Dns(name.to_ascii_lowercase())),
        GeneralName::URI(uri) => Some(CertificateIdentity::Uri((*uri).to_owned())),
        _ => None,
    });
    let subject = CertificateIdentity::Subject(certificate.subject().to_string());
    named.chain([subject]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};
    use time::Duration;

    use super::*;
    use crate::access::{CallerName, Role};
    use crate::booking::SourceSystem;
    use crate::clock::{Clock as _, SystemClock};

    fn rule(identity: CertificateIdentity, source_system: &str) -> CertificateRule {
        CertificateRule {
            identity,
            caller: Caller {
                name: CallerName::of_certificate(source_system).unwrap(),
                source_system: SourceSystem::parse(source_system).unwrap(),
                roles: [Role::BookingsWrite].into_iter().collect(),
            },
        }
    }

    fn dns(name: &str) -> CertificateIdentity {
        CertificateIdentity::Dns(name.to_owned())
    }

    /// A certificate with these alternative names and this common name, good until then.
    fn certificate(names: Vec<SanType>, common_name: &str, until: Timestamp) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.distinguished_name.push(DnType::OrganizationName, "Contoso");
        params.not_after = until;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn ia5(text: &str) -> Ia5String {
        text.try_into().unwrap()
    }

    /// Each way to name a caller, and what is no caller: names that only look like it.
    #[test]
    fn a_certificate_names_its_caller() {
        let rules = [
            rule(dns("desk.contoso.com"), "room-booking"),
            rule(CertificateIdentity::Uri("spiffe://contoso/crm".to_owned()), "crm"),
            rule(CertificateIdentity::Subject("CN=clinic, O=Contoso".to_owned()), "clinic"),
        ];
        let now = SystemClock.now();
        let until = now + Duration::hours(1);
        let name = |text: &str| SanType::DnsName(ia5(text));
        let uri = |text: &str| SanType::URI(ia5(text));
        for (names, common_name, expected) in [
            (vec![name("desk.contoso.com")], "x", Some("room-booking")),
            (vec![name("other.contoso.com"), name("DESK.contoso.com")], "x", Some("room-booking")),
            (vec![uri("spiffe://contoso/crm")], "x", Some("crm")),
            (vec![], "clinic", Some("clinic")),
            (vec![name("*.contoso.com")], "x", None),
            (vec![name("desk.contoso.com.evil.example")], "x", None),
            (vec![uri("spiffe://contoso/CRM")], "x", None),
            (vec![uri("desk.contoso.com")], "x", None),
            (vec![], "desk.contoso.com", None),
            (vec![name("desk.contoso.com"), uri("spiffe://contoso/crm")], "x", None),
            (vec![], "x", None),
        ] {
            let der = certificate(names.clone(), common_name, until);
            let found = caller_of(&rules, &der, now).map(|caller| caller.source_system.to_string());
            let expected = expected.map(str::to_owned).ok_or(AuthenticationFault::UnknownCertificate);
            assert_eq!(found, expected, "{names:?} {common_name}");
        }
    }

    /// A connection may outlive the certificate that it was made with.
    #[test]
    fn a_certificate_ends() {
        let rules = [rule(dns("desk"), "room-booking")];
        let now = SystemClock.now();
        let der = certificate(vec![SanType::DnsName(ia5("desk"))], "x", now);
        assert!(caller_of(&rules, &der, now - Duration::minutes(1)).is_ok());
        let ended = caller_of(&rules, &der, now + Duration::minutes(1)).unwrap_err();
        assert_eq!(ended, AuthenticationFault::EndedCertificate(rules[0].caller.name.clone()));
    }

    proptest! {
        /// Whatever bytes there are, they name no caller and panic nowhere.
        #[test]
        fn bytes_that_are_no_certificate_name_no_caller(der in prop::collection::vec(any::<u8>(), 0..300)) {
            let rules = [rule(dns("desk"), "room-booking")];
            prop_assert_eq!(caller_of(&rules, &der, SystemClock.now()), Err(AuthenticationFault::UnknownCertificate));
        }
    }
}
