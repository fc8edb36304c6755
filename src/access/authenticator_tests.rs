//! The header, and a file of API keys that changes under our feet.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::ExposeSecret;
use time::macros::datetime;

use super::*;
use crate::access::{NewApiKey, Role};
use crate::booking::SourceSystem;
use crate::clock::ManualClock;

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

struct FreshKey {
    text: String,
    block: String,
}

fn fresh_key(name: &str) -> FreshKey {
    let caller = Caller {
        name: CallerName::parse(name).unwrap(),
        source_system: SourceSystem::parse("crm").unwrap(),
        roles: [Role::BookingsWrite].into_iter().collect(),
    };
    let key = NewApiKey::generate(caller).unwrap();
    FreshKey { text: key.text().expose_secret().to_owned(), block: key.block() }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

fn opened(path: &Path) -> Result<Authenticator, ApiKeyFaults> {
    let file = KeysFile { path: path.to_owned(), published_key: PublishedKey::Refused };
    Authenticator::open(Some(file), Issuers::default(), Vec::new(), clock())
}

#[tokio::test]
async fn the_header_is_read_as_http_says_and_each_fault_has_its_own_reason() {
    let (one, other) = (fresh_key("one"), fresh_key("two"));
    let authenticator = Authenticator::of(ApiKeys::parse(&one.block).unwrap(), clock());
    let key = &one.text;
    for good in [format!("Bearer {key}"), format!("bearer {key}"), format!("BEARER  {key} ")] {
        assert_eq!(authenticator.authenticate(Some(&good)).await.unwrap().name.as_str(), "one", "{good}");
    }
    for (header, expected) in [
        (None, AuthenticationFault::NoCredential),
        (Some(String::new()), AuthenticationFault::UnknownKind),
        (Some(key.to_owned()), AuthenticationFault::UnknownKind),
        (Some(format!("Basic {key}")), AuthenticationFault::UnknownKind),
        (Some("Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()), AuthenticationFault::UnknownKind),
        (Some("Bearer mpk_short".to_owned()), AuthenticationFault::UnknownKey),
        (Some("Bearer mpk_a.b.c".to_owned()), AuthenticationFault::UnknownKey),
        (Some(format!("Bearer {key} x")), AuthenticationFault::UnknownKey),
        (Some(format!("Bearer {}", other.text)), AuthenticationFault::UnknownKey),
    ] {
        assert_eq!(authenticator.authenticate(header.as_deref()).await, Err(expected), "{header:?}");
    }
}

/// A rotation as Kubernetes does it: the file changes under our feet, for a while even to nonsense.
#[test]
fn what_the_file_says_is_in_force_and_what_is_no_toml_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let (old, next) = (fresh_key("old"), fresh_key("next"));
    std::fs::write(&path, &old.block).unwrap();
    let authenticator = opened(&path).unwrap();
    let is_faulty = || authenticator.condition().is_file_faulty;
    let known = || [&old, &next].map(|key| authenticator.caller_of_key(&key.text).is_ok());
    let both = format!("{}\n{}", old.block, next.block);
    let broken = format!("{both}\n[[api_key]]\nname = ");
    let one_faulty = format!("{}\n[[api_key]]\nname = \"typo\"\n", next.block);
    for (text, expected, faulty) in [
        (&old.block, [true, false], false),
        (&both, [true, true], false),
        (&"[[api_key]]\nname = ".to_owned(), [true, true], true),
        (&broken, [true, true], true),
        (&one_faulty, [false, true], true),
        (&both, [true, true], false),
        (&next.block, [false, true], false),
        (&String::new(), [false, false], false),
        (&old.block, [true, false], false),
    ] {
        std::fs::write(&path, text).unwrap();
        authenticator.reload();
        assert_eq!((known(), is_faulty()), (expected, faulty), "{text}");
    }
    assert_eq!(authenticator.reload(), Reload::Unchanged);
    std::fs::remove_file(&path).unwrap();
    authenticator.reload();
    assert_eq!((known(), is_faulty()), ([true, false], true));
    assert!(opened(&folder.path().join("absent")).is_err());
}

/// A leaked key is dead as soon as any block says so, whatever else is wrong with the file.
#[test]
fn a_revoked_key_is_dead_however_faulty_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let (leaked, good) = (fresh_key("leaked"), fresh_key("good"));
    let both = format!("{}{}", leaked.block, good.block);
    let hash = leaked.block.lines().find(|line| line.starts_with("sha256")).unwrap();
    let revoked = format!("{}revoked = true\n", leaked.block);
    for (text, others) in [
        (format!("{revoked}{}", good.block), true),
        (format!("{both}[[api_key]]\n{hash}\nrevoked = true\n"), true),
        (format!("{both}[[api_key]]\nname = \"leaked\"\nrevoked = true\n"), true),
        (format!("{both}[[api_key]]\n{hash}\nrevoked = \"yes\"\n"), true),
        (format!("{both}[[api_key]]\n{hash}\nroles = 7\nnot_after = 1\ncolour = 1\nrevoked = true\n"), true),
        (format!("{revoked}[[api_key]]\nname = 1\n"), false),
        (format!("colour = 1\n{revoked}{}", good.block), true),
        // No TOML: the good one stays.
        (format!("{revoked}[[api_key]]\nname = \n"), true),
        (format!("not TOML at all\n{revoked}"), true),
        (format!("[[api_key]\n{}\n{revoked}", good.block), true),
    ] {
        std::fs::write(&path, &both).unwrap();
        let authenticator = opened(&path).unwrap();
        assert!(authenticator.caller_of_key(&leaked.text).is_ok());
        std::fs::write(&path, &text).unwrap();
        assert_eq!(authenticator.reload(), Reload::Replaced, "{text}");
        assert_eq!(authenticator.caller_of_key(&leaked.text), Err(AuthenticationFault::RevokedKey), "{text}");
        assert_eq!(authenticator.caller_of_key(&good.text).is_ok(), others, "{text}");
        assert_eq!(authenticator.reload(), Reload::Unchanged);
    }
}

/// Several keys of one source system live side by side, each until its end.
#[test]
fn a_key_ends_when_its_block_says() {
    let (old, next) = (fresh_key("old"), fresh_key("next"));
    let blocks = format!("{}not_after = 2026-11-23T10:00:00+01:00\n{}", old.block, next.block);
    let clock = clock();
    let authenticator = Authenticator::of(ApiKeys::parse(&blocks).unwrap(), clock.clone());
    let ended = Err(AuthenticationFault::EndedKey(CallerName::parse("old").unwrap()));
    for (wait, is_good) in [(0, true), (3_599, true), (1, false), (3_600, false)] {
        clock.advance(Duration::from_secs(wait));
        let found = authenticator.caller_of_key(&old.text);
        assert_eq!(found.is_ok(), is_good);
        assert!(found.is_ok() || found == ended);
        assert!(authenticator.caller_of_key(&next.text).is_ok());
    }
}

/// A key's last use is known by its name, as long as the key is in force.
#[test]
fn the_last_use_of_each_key_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let (one, other) = (fresh_key("one"), fresh_key("other"));
    std::fs::write(&path, format!("{}{}", one.block, other.block)).unwrap();
    let authenticator = opened(&path).unwrap();
    authenticator.caller_of_key(&one.text).unwrap();
    let uses = || {
        let keys = authenticator.condition().keys.into_iter();
        keys.map(|(name, at)| (name.to_string(), at)).collect::<Vec<_>>()
    };
    assert_eq!(uses(), [("one".to_owned(), Some(NOW)), ("other".to_owned(), None)]);
    std::fs::write(&path, &other.block).unwrap();
    authenticator.reload();
    assert_eq!(uses(), [("other".to_owned(), None)]);
}

/// Who may write the file may call as any caller.
#[test]
fn a_file_that_any_user_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let (one, other) = (fresh_key("one"), fresh_key("other"));
    std::fs::write(&path, &one.block).unwrap();
    let with_mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o666, 0o602] {
        with_mode(mode);
        let faults = opened(&path).unwrap_err().to_string();
        assert!(faults.contains("may be written by any user") && faults.contains("chmod 640"), "{faults}");
    }
    for (mode, is_world_readable) in [(0o600, false), (0o640, false), (0o660, false), (0o644, true)] {
        with_mode(mode);
        let read = ApiKeys::read(&path, PublishedKey::Refused);
        assert_eq!((read.is_world_readable, read.keys.unwrap().count()), (is_world_readable, 1), "{mode:o}");
    }
    let authenticator = opened(&path).unwrap();
    std::fs::write(&path, &other.block).unwrap();
    with_mode(0o666);
    assert_eq!(authenticator.reload(), Reload::Unchanged);
    assert!(authenticator.caller_of_key(&one.text).is_ok() && authenticator.condition().is_file_faulty);
}
