//! One API key: its form, what is stored of it, and how one is made.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::caller::Caller;
use crate::clock::Timestamp;

/// How every API key begins, so that people and scanners for leaked secrets recognise one.
pub(super) const PREFIX: &str = "mpk_";

/// How many random bytes a key is made of: 256 bits, so that a plain hash is enough to store.
const RANDOM_BYTES: usize = 32;

/// The lengths a whole key may have, in characters; those made here have 47.
const LENGTHS: std::ops::RangeInclusive<usize> = 36..=132;

/// What is stored of a key: the SHA-256 of its whole text.
pub(super) type KeyHash = [u8; 32];

/// The key that this project publishes for trying: `mpk_for-trying-only-` and 26 zeros. It is public.
const PUBLISHED: &str = "mpk_for-trying-only-00000000000000000000000000";

/// Whether the published key is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishedKey {
    /// Where no meeting can be made: Graph is simulated on this machine.
    Accepted,
    /// Everywhere else.
    Refused,
}

/// Whether this is the hash of the published key.
pub(super) fn is_published(hash: &KeyHash) -> bool {
    *hash == self::hash(PUBLISHED)
}

/// One API key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The hash of its text.
    pub(super) hash: KeyHash,
    /// The caller that it authenticates.
    pub caller: Caller,
    /// From then on it is refused.
    pub not_after: Option<Timestamp>,
}

/// Whether the text has the form of an API key: the prefix, then enough characters of base64url.
pub(super) fn has_form(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.starts_with(PREFIX) && LENGTHS.contains(&text.len()) && text.bytes().all(is_base64url)
}

/// What is stored of a key.
pub(super) fn hash(text: &str) -> KeyHash {
    Sha256::digest(text.as_bytes()).into()
}

/// Reads 64 hexadecimal digits.
pub(super) fn parse_hash(text: &str) -> Option<KeyHash> {
    let mut hash = KeyHash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness(#[source] rand::rngs::SysError);

/// A key just made. Its text is shown once and stored nowhere.
#[derive(Debug)]
pub struct NewApiKey {
    text: SecretString,
    caller: Caller,
}

impl NewApiKey {
    /// Makes a key from the operating system's randomness. (Chance for secrets does not come from the clock that tests
    /// fix.)
    pub fn generate(caller: Caller) -> Result<Self, NoRandomness> {
        let mut bytes = [0; RANDOM_BYTES];
        SysRng.try_fill_bytes(&mut bytes).map_err(NoRandomness)?;
        Ok(Self::of(bytes, caller))
    }

    fn of(bytes: [u8; RANDOM_BYTES], caller: Caller) -> Self {
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        Self { text: SecretString::from(text), caller }
    }

    /// The key itself: `mpk_` and 43 characters.
    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.text
    }

    /// The block for the file of API keys; it holds the hash and not the key.
    #[must_use]
    pub fn block(&self) -> String {
        let Caller { name, source_system, roles } = &self.caller;
        let roles: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
        // Without control characters, what JSON escapes is what TOML escapes.
        let name = serde_json::Value::from(name.as_str());
        let mut hexadecimal = String::new();
        for byte in hash(self.text.expose_secret()) {
            // Writing to a `String` can't fail.
            let _ = write!(hexadecimal, "{byte:02x}");
        }
        format!(
            "[[api_key]]\nname = {name}\nsource_system = \"{source_system}\"\nsha256 = \"{hexadecimal}\"\nroles = [{}]\n",
            roles.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::api_keys::ShownKey;
    use crate::access::{ApiKeys, CallerName, Role};
    use crate::booking::SourceSystem;

    fn caller(name: &str) -> Caller {
        Caller {
            name: CallerName::parse(name).unwrap(),
            source_system: SourceSystem::parse("room-booking").unwrap(),
            roles: [Role::BookingsWrite, Role::AuditRead].into_iter().collect(),
        }
    }

    /// Known bytes make a known key; its hash was computed with `sha256sum`.
    #[test]
    fn a_key_has_its_form_and_its_block_holds_its_hash() {
        let key = NewApiKey::of([0xff; 32], caller("room booking"));
        let text = key.text().expose_secret();
        assert_eq!(text, "mpk___________________________________________8");
        assert!(has_form(text) && text.len() == 47);
        assert_eq!(
            key.block(),
            "[[api_key]]\nname = \"room booking\"\nsource_system = \"room-booking\"\n\
             sha256 = \"a7a371b0a886509f68410168e156f4b5f6a73a9e64cc681c4684765e2d8f0a22\"\nroles = [\"bookings.write\", \"audit.read\"]\n"
        );
    }

    #[test]
    fn the_block_of_a_fresh_key_authenticates_its_caller() {
        for name in ["plain", "with \"quotes\" and \\ and ü"] {
            let [one, other] = [(); 2].map(|()| NewApiKey::generate(caller(name)).unwrap());
            assert_ne!(one.text().expose_secret(), other.text().expose_secret());
            let keys = ApiKeys::parse(&one.block()).unwrap();
            let found = keys.find(one.text().expose_secret());
            assert!(matches!(found, Some(ShownKey::InForce(key)) if key.caller == caller(name)));
            assert!(keys.find(other.text().expose_secret()).is_none());
            assert!(!one.block().contains(one.text().expose_secret()));
            assert!(!format!("{one:?}").contains(one.text().expose_secret()));
        }
    }

    #[test]
    fn a_text_without_the_form_of_a_key_is_refused_before_it_is_hashed() {
        let good = format!("mpk_{}", "a".repeat(43));
        assert!(has_form(&good));
        for text in [
            "",
            "mpk_",
            "mpk_short",
            &good.replace("mpk", "MPK"),
            &format!("{good} "),
            &format!("{good}="),
            &"mpk_a".repeat(99),
        ] {
            assert!(!has_form(text), "{text}");
        }
    }
}
