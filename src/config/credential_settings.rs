//! `[graph]`: the credential with which this service signs in.

use std::path::PathBuf;

use secrecy::SecretString;
use time::Date;
use url::Url;

use super::external_id_settings::hyphenated;
use super::reader::Reader;
use crate::outbound::{is_link_local, is_loopback};
use crate::setting::{FaultNoted, SettingRule, ValueOrigin, one_of, path, secret};

/// Where virtual machines of Azure find their identity.
const METADATA_URL: &str = "http://169.254.169.254/";

/// The credential with which this service signs in.
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    /// Its kind, and where it stands.
    pub credential: CredentialSetting,
    /// The setting that named it.
    pub key: &'static str,
    /// Where that setting's value came from.
    pub origin: ValueOrigin,
}

/// A credential of one kind.
#[derive(Debug, Clone)]
pub enum CredentialSetting {
    /// A client secret.
    Secret {
        /// The secret.
        secret: SecretSetting,
        /// The day on which it expires.
        expires_on: Option<Date>,
    },
    /// A certificate.
    Certificate {
        /// Certificate and key, PEM or PKCS#12.
        file: PathBuf,
        /// What a PKCS#12 file is encrypted with.
        password: Option<SecretSetting>,
    },
    /// A token of another issuer.
    Federated {
        /// The file that the issuer keeps fresh.
        file: PathBuf,
    },
    /// A managed identity of Azure.
    ManagedIdentity {
        /// Whether it is the machine's own, and not one whose client id is `client_id`.
        is_system_assigned: bool,
        /// Where tokens of it are to be had.
        endpoint: IdentityEndpointSetting,
    },
}

/// A secret, or the file that holds it.
#[derive(Debug, Clone)]
pub enum SecretSetting {
    /// The secret.
    Written(SecretString),
    /// The file.
    File(PathBuf),
}

/// Where tokens of a managed identity are to be had.
#[derive(Debug, Clone)]
pub enum IdentityEndpointSetting {
    /// A virtual machine's metadata service.
    Metadata(Url),
    /// What App Service and Container Apps give a container.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        url: Url,
        /// `IDENTITY_HEADER`.
        header: SecretString,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Secret,
    Certificate,
    Federated,
    ManagedIdentity,
}

/// A secret and the setting that gave it.
struct GivenSecret {
    secret: SecretSetting,
    key: &'static str,
}

/// Everything that is set, whichever of it counts.
struct Given {
    secret: Option<GivenSecret>,
    expires_on: Option<Date>,
    certificate: Option<PathBuf>,
    password: Option<GivenSecret>,
    federated: Option<PathBuf>,
    is_system_assigned: bool,
    metadata_url: Option<Url>,
    identity_endpoint: Option<Url>,
    identity_header: Option<SecretString>,
}

const KIND_KEY: &str = "graph.credential";
const SECRET_KEY: &str = "graph.client_secret";
const CERTIFICATE_KEY: &str = "graph.client_certificate_file";
const FEDERATED_KEY: &str = "graph.federated_token_file";
const ENDPOINT_KEY: &str = "graph.identity_endpoint";
const HEADER_KEY: &str = "graph.identity_header";

impl CredentialSettings {
    /// Reads every setting of every kind, so that each fault is found; one kind counts.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let kinds = one_of([
            ("secret", Kind::Secret),
            ("certificate", Kind::Certificate),
            ("federated", Kind::Federated),
            ("managed-identity", Kind::ManagedIdentity),
        ]);
        let chosen = reader.optional(KIND_KEY, &kinds);
        let given = Given::read(reader);
        let (chosen, given) = (chosen.ok()?, given.ok()?);
        let kind = match chosen {
            Some(kind) => kind,
            None => given.only_kind(reader)?,
        };
        given.of_kind(kind, reader)
    }
}

impl Given {
    fn read(reader: &mut Reader) -> Result<Self, FaultNoted> {
        let secret = secret_or_file(reader, [SECRET_KEY, "graph.client_secret_file"], &secret(not_an_id));
        let expires_on = reader.optional("graph.client_secret_expires_on", &day());
        let certificate = reader.optional(CERTIFICATE_KEY, &path());
        let keys = ["graph.client_certificate_password", "graph.client_certificate_password_file"];
        let password = secret_or_file(reader, keys, &self::secret(|_| Ok(())));
        let federated = reader.optional(FEDERATED_KEY, &path());
        let identities = one_of([("user-assigned", false), ("system-assigned", true)]);
        let is_system_assigned = reader.optional("graph.managed_identity", &identities);
        let metadata_url = reader.optional("graph.metadata_url", &near_url());
        let identity_endpoint = reader.optional(ENDPOINT_KEY, &near_url());
        let identity_header = reader.optional(HEADER_KEY, &self::secret(|_| Ok(())));
        Ok(Self {
            secret: secret?,
            expires_on: expires_on?,
            certificate: certificate?,
            password: password?,
            federated: federated?,
            is_system_assigned: is_system_assigned?.unwrap_or(false),
            metadata_url: metadata_url?,
            identity_endpoint: identity_endpoint?,
            identity_header: identity_header?,
        })
    }

    /// The kind of what is set. Of several the one whose origin has precedence counts, and not two from one place.
    fn only_kind(&self, reader: &mut Reader) -> Option<Kind> {
        let secret_key = self.secret.as_ref().map(|given| given.key);
        let set = [
            (Kind::Secret, secret_key),
            (Kind::Certificate, self.certificate.as_ref().map(|_| CERTIFICATE_KEY)),
            (Kind::Federated, self.federated.as_ref().map(|_| FEDERATED_KEY)),
        ];
        let set: Vec<(Kind, &'static str, u8)> = set
            .into_iter()
            .filter_map(|(kind, key)| Some((kind, key?, reader.origin(key?).precedence())))
            .collect();
        let Some(highest) = set.iter().map(|(_, _, precedence)| *precedence).max() else {
            reader.missing(
                SECRET_KEY,
                "the value of the app registration's client secret (other ways: client_secret_file, \
                 client_certificate_file, federated_token_file, or credential = \"managed-identity\")",
            );
            return None;
        };
        let strongest: Vec<_> = set.into_iter().filter(|(_, _, precedence)| *precedence == highest).collect();
        match strongest.as_slice() {
            [(kind, _, _)] => Some(*kind),
            [(_, first, _), (_, second, _), ..] => {
                let detail =
                    format!("{first} is set as well; set one of the two, or say in {KIND_KEY} which counts");
                reader.fault(second, detail);
                None
            }
            [] => None,
        }
    }

    fn of_kind(self, kind: Kind, reader: &mut Reader) -> Option<CredentialSettings> {
        let mut missing = |key: &'static str, what: &str| {
            reader.missing(key, what);
            None
        };
        let (credential, key) = match kind {
            Kind::Secret => {
                let Some(given) = self.secret else {
                    return missing(SECRET_KEY, "the client secret that graph.credential asks for");
                };
                let credential =
                    CredentialSetting::Secret { secret: given.secret, expires_on: self.expires_on };
                (credential, given.key)
            }
            Kind::Certificate => {
                let Some(file) = self.certificate else {
                    let what =
                        "the file of the certificate that graph.credential asks for, with its private key";
                    return missing(CERTIFICATE_KEY, what);
                };
                let password = self.password.map(|given| given.secret);
                (CredentialSetting::Certificate { file, password }, CERTIFICATE_KEY)
            }
            Kind::Federated => {
                let Some(file) = self.federated else {
                    return missing(FEDERATED_KEY, "the file of the token that graph.credential asks for");
                };
                (CredentialSetting::Federated { file }, FEDERATED_KEY)
            }
            Kind::ManagedIdentity => {
                let is_system_assigned = self.is_system_assigned;
                let endpoint = self.endpoint(reader)?;
                (CredentialSetting::ManagedIdentity { is_system_assigned, endpoint }, KIND_KEY)
            }
        };
        Some(CredentialSettings { credential, key, origin: reader.origin(key) })
    }

    /// What App Service gives a container has precedence, for there is no metadata service there.
    fn endpoint(self, reader: &mut Reader) -> Option<IdentityEndpointSetting> {
        match (self.identity_endpoint, self.identity_header) {
            (Some(url), Some(header)) => Some(IdentityEndpointSetting::AppService { url, header }),
            (Some(_), None) => {
                reader.fault(
                    ENDPOINT_KEY,
                    format!("{HEADER_KEY} is not set: the endpoints of Azure Arc and Service Fabric are not supported"),
                );
                None
            }
            (None, _) => {
                let url = self.metadata_url.or_else(|| Url::parse(METADATA_URL).ok())?;
                Some(IdentityEndpointSetting::Metadata(url))
            }
        }
    }
}

/// A secret itself or the file that holds it: the one whose origin has precedence, and not both from one place.
fn secret_or_file(
    reader: &mut Reader,
    [key, file_key]: [&'static str; 2],
    rule: &SettingRule<SecretString>,
) -> Result<Option<GivenSecret>, FaultNoted> {
    let written = reader.optional(key, rule);
    let file = reader.optional(file_key, &path());
    let written = written?.map(|secret| GivenSecret { secret: SecretSetting::Written(secret), key });
    let file = file?.map(|file| GivenSecret { secret: SecretSetting::File(file), key: file_key });
    let (precedence, file_precedence) =
        (reader.origin(key).precedence(), reader.origin(file_key).precedence());
    match (written, file) {
        (Some(_), Some(_)) if precedence == file_precedence => {
            reader.fault(file_key, format!("{key} is set as well; set one of the two"));
            Err(FaultNoted)
        }
        (Some(written), Some(_)) if precedence > file_precedence => Ok(Some(written)),
        (written, file) => Ok(file.or(written)),
    }
}

fn not_an_id(text: &str) -> Result<(), String> {
    match text.trim() {
        "" => Err("it is blank and must be the client secret's value".to_owned()),
        _ if hyphenated(text).is_some() => Err("it is a GUID, probably the secret's id; it must be the \
                                               secret's value, which Entra shows only once"
            .to_owned()),
        _ => Ok(()),
    }
}

fn day() -> SettingRule<Date> {
    SettingRule::text(|text| {
        let format = time::macros::format_description!("[year]-[month]-[day]");
        Date::parse(text, &format).map_err(|_| "must be a day such as \"2027-05-31\", in quotes".to_owned())
    })
}

/// The URL of what hands out tokens to all who reach it: plain HTTP, and so on this machine or its own link alone.
fn near_url() -> SettingRule<Url> {
    SettingRule::text(|text| {
        let near = |url: &Url| url.scheme() == "http" && (is_loopback(url) || is_link_local(url));
        let is_plain =
            |url: &Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        Url::parse(text).ok().filter(|url| near(url) && is_plain(url)).ok_or_else(|| {
            "must be an address that begins with http:// and is loopback or link-local (169.254.0.0/16), such as \
             \"http://169.254.169.254/\""
                .to_owned()
        })
    })
}

#[cfg(test)]
#[path = "credential_settings_tests.rs"]
mod tests;
