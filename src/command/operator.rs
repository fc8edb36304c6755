//! Who runs a command, for the history of what it does.

use std::fs;

use crate::audit::{Actor, Origin};

/// The user of the operating system whose process this is, as the one who acts.
pub(super) fn origin() -> Origin {
    let uid = rustix::process::geteuid().as_raw();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = name(&passwd, uid).unwrap_or_else(|| uid.to_string());
    Origin { actor: Actor::Command(user), request_id: None, traceparent: None }
}

/// The name of a user in lines `name:password:uid:…`.
fn name(passwd: &str, uid: u32) -> Option<String> {
    let mut users = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse::<u32>().ok()?))
    });
    users.find(|(_, found)| *found == uid).map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_and_one_without_a_name_is_not() {
        let passwd = "root:x:0:0:root:/:/bin/sh\nbroken\nolga:x:1000:1000::/:/bin/sh\n";
        assert_eq!(name(passwd, 1000).as_deref(), Some("olga"));
        assert_eq!(name(passwd, 7), None);
    }
}
