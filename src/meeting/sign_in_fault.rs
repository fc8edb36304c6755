//! What Entra's error numbers say about our credential. One text each, wherever it is said.
//!
//! The numbers may change (Microsoft's page "Error codes" says so): they serve for hints only, and nothing is decided by
//! them.

/// Why Entra refuses the credential with which this service signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInFault {
    /// AADSTS7000215
    SecretWrong,
    /// AADSTS7000222
    SecretExpired,
    /// AADSTS700016, AADSTS7000229, AADSTS50034
    AppUnknown,
    /// AADSTS7000112
    AppDisabled,
    /// AADSTS90002, AADSTS900023
    TenantUnknown,
    /// AADSTS700027, AADSTS700030
    CertificateRefused,
    /// AADSTS700024, AADSTS70023
    AssertionTime,
    /// AADSTS700021, AADSTS700023, AADSTS50013, AADSTS50027
    AssertionWrong,
    /// AADSTS70021, AADSTS700211 to AADSTS700213, AADSTS7002137, AADSTS7002138
    NoFederatedCredential,
    /// AADSTS7000218
    NoCredential,
    /// AADSTS53003, AADSTS530035
    Blocked,
    /// Another number, or none.
    Other,
}

impl SignInFault {
    /// What a number means.
    #[must_use]
    pub fn of_aadsts(number: Option<u64>) -> Self {
        match number {
            Some(7_000_215) => Self::SecretWrong,
            Some(7_000_222) => Self::SecretExpired,
            Some(700_016 | 7_000_229 | 50_034) => Self::AppUnknown,
            Some(7_000_112) => Self::AppDisabled,
            Some(90_002 | 900_023) => Self::TenantUnknown,
            Some(700_027 | 700_030) => Self::CertificateRefused,
            Some(700_024 | 70_023) => Self::AssertionTime,
            Some(700_021 | 700_023 | 50_013 | 50_027) => Self::AssertionWrong,
            Some(70_021 | 700_211..=700_213 | 7_002_137 | 7_002_138) => Self::NoFederatedCredential,
            Some(7_000_218) => Self::NoCredential,
            Some(53_003 | 530_035) => Self::Blocked,
            _ => Self::Other,
        }
    }

    /// What it means, as a clause.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::SecretWrong => "the client secret is not one of this application's",
            Self::SecretExpired => "the client secret has expired",
            Self::AppUnknown => "the application is not known in this tenant",
            Self::AppDisabled => "the application is disabled in this tenant",
            Self::TenantUnknown => "the tenant is not known",
            Self::CertificateRefused => {
                "the certificate is not one of this application's, or is not valid at this time"
            }
            Self::AssertionTime => {
                "the assertion is not within its time: a clock is wrong, or the token file is not renewed"
            }
            Self::AssertionWrong => "the assertion that proves who we are is not accepted",
            Self::NoFederatedCredential => {
                "no federated credential of the application matches the token's issuer, subject and audience"
            }
            Self::NoCredential => "the application needs a credential, and none was sent",
            Self::Blocked => "a Conditional Access policy blocks the application",
            Self::Other => "the token endpoint refuses our credential",
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::SecretWrong => {
                "Put the secret's value, not its id, from the application's \"Certificates & secrets\" into the \
                 settings or the file that they name; it is shown only once, so add a new secret if it is lost."
            }
            Self::SecretExpired => {
                "Add a new secret under the application's \"Certificates & secrets\" and put its value into the \
                 settings or the file that they name."
            }
            Self::AppUnknown => {
                "Check client id, tenant id and cloud in the settings; an application of another tenant needs an \
                 administrator's consent in this one."
            }
            Self::AppDisabled => {
                "An Entra administrator allows sign-in to it: \"Enterprise applications\", the application, \
                 \"Properties\", \"Enabled for users to sign-in?\"."
            }
            Self::TenantUnknown => "Check tenant id and cloud in the settings.",
            Self::CertificateRefused => {
                "Compare the thumbprint that `meeting-provisioner doctor` shows with those under the application's \
                 \"Certificates & secrets\"; upload the certificate (without its private key) if it is missing, and \
                 make a new one if it has expired."
            }
            Self::AssertionTime => {
                "Compare this machine's clock with a time server (NTP). If it is right and the credential is a token \
                 file, what writes that file (the kubelet, on Kubernetes) no longer renews it: restart the pod."
            }
            Self::AssertionWrong => {
                "Check client id, tenant id and login_url in the settings, and for a token file its issuer: Entra must \
                 be able to fetch the issuer's keys."
            }
            Self::NoFederatedCredential => {
                "Under the application's \"Certificates & secrets\", \"Federated credentials\", enter issuer, subject \
                 and audience exactly as `meeting-provisioner doctor` shows them (upper and lower case count, and so \
                 does a slash at the end). A new one takes some minutes to take effect."
            }
            Self::NoCredential => "Set one in the section [graph] of the settings.",
            Self::Blocked => {
                "An Entra administrator looks at the sign-in logs (\"Service principal sign-ins\") for the policy, and \
                 exempts the application or this machine's address."
            }
            Self::Other => "Look the AADSTS number up in Microsoft's list of Entra error codes.",
        }
    }
}

/// The number of the first `AADSTS<number>` in a text.
#[must_use]
pub fn aadsts_number(text: &str) -> Option<u64> {
    let (_, after) = text.split_once("AADSTS")?;
    let digits = after.find(|c: char| !c.is_ascii_digit()).map_or(after, |end| &after[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that begin alike are told apart.
    #[test]
    fn a_number_is_read_whole() {
        for (text, expected) in [
            ("AADSTS7000222: The provided client secret keys are expired.", Some(7_000_222)),
            ("before AADSTS70021. after", Some(70_021)),
            ("AADSTS700213: No match. AADSTS1: no", Some(700_213)),
            ("AADSTS: none", None),
            ("AADSTS99999999999999999999999: too long", None),
            ("none", None),
        ] {
            assert_eq!(aadsts_number(text), expected, "{text}");
        }
        assert_eq!(SignInFault::of_aadsts(Some(700_213)), SignInFault::NoFederatedCredential);
        assert_eq!(SignInFault::of_aadsts(Some(70_021)), SignInFault::NoFederatedCredential);
        assert_eq!(SignInFault::of_aadsts(Some(700_021)), SignInFault::AssertionWrong);
        assert_eq!(SignInFault::of_aadsts(None), SignInFault::Other);
    }
}
