//! Whom to run PostgreSQL as: ourselves, or an unprivileged user when we are root.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::LocalPostgresError;

/// Accounts that are tried in turn. Both have to have an entry in passwd, because `initdb` looks itself up.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// A user of this machine that PostgreSQL is run as instead of root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The account to change to, or `None` when this process is unprivileged already.
    pub(super) fn needed() -> Result<Option<Self>, LocalPostgresError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd")
            .map_err(LocalPostgresError::folder("reading", "/etc/passwd"))?;
        Self::among(&passwd).map(Some).ok_or(LocalPostgresError::NoUnprivilegedAccount)
    }

    fn among(passwd: &str) -> Option<Self> {
        NAMES.iter().find_map(|name| passwd.lines().find_map(|line| Self::parse(line, name)))
    }

    /// Reads a line `name:password:uid:gid:…`.
    fn parse(line: &str, wanted: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| *name == wanted)?.to_owned();
        let mut number = |skipped| fields.nth(skipped).and_then(parse_id);
        let (uid, gid) = (number(1)?, number(0)?);
        (uid != 0).then_some(Self { name, uid, gid })
    }
}

/// Reads a user or group number; macOS writes that of `nobody` as `-2`.
fn parse_id(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse().ok().map(i32::cast_unsigned))
}

/// A command that runs as `account`, from `/` (root's own folder is closed to others), with no input, and with a
/// locale and time zone that don't depend on the caller's.
pub(super) fn command(program: impl AsRef<OsStr>, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Whether `account` can enter `folder`.
pub(super) fn can_enter(account: &Account, folder: &Path) -> bool {
    let mut command = command("/bin/sh", Some(account));
    command.args(["-c", "cd \"$1\"", "sh"]).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0::/root:/bin/sh\nnobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";

    #[test]
    fn the_user_postgres_is_preferred() {
        let passwd =
            format!("{PASSWD}postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n");
        let account = Account::among(&passwd).unwrap();
        assert_eq!((account.name.as_str(), account.uid, account.gid), ("postgres", 101, 104));
    }

    #[test]
    fn a_negative_number_is_read_as_macos_means_it() {
        let account = Account::among(PASSWD).unwrap();
        assert_eq!(
            (account.name.as_str(), account.uid, account.gid),
            ("nobody", 4_294_967_294, 4_294_967_294)
        );
    }

    #[test]
    fn an_account_that_is_root_by_another_name_is_not_taken() {
        assert_eq!(Account::among("postgres:x:0:0::/:/bin/sh\n"), None);
    }
}
