//! A provider that others wrote: Authlib's client credentials and RFC 9068 access tokens, as this service takes them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::token_issuer::AUDIENCE;
use crate::support::{ApiResponse, TestApp, Who, booking};
use crate::tokens::me;

/// What is installed, with what it needs, below the folder of built things.
const PACKAGES: [&str; 2] = ["authlib==1.9.10", "flask==3.1.3"];
/// The one client of the provider.
const CLIENT: &str = "room-booking-app";

/// The folder of the packages, installed if they are not there; `None` where they can't be.
async fn packages() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGES.join("+"));
    let installed = folder.join("installed");
    if installed.exists() {
        return Some(folder);
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"];
    let output = Command::new("python3").args(pip).arg(&folder).args(PACKAGES).output().await;
    let why = match output {
        Ok(output) if output.status.success() => {
            std::fs::write(installed, "").unwrap();
            return Some(folder);
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let is_ci = meeting_provisioner::config::process_environment().into_iter().any(|(name, _)| name == "CI");
    assert!(!is_ci, "CI needs {PACKAGES:?} from PyPI: {why}");
    #[expect(clippy::print_stdout, reason = "says why the test tested nothing")]
    {
        println!("not run: {PACKAGES:?} can't be installed: {why}");
    }
    None
}

/// The provider's program and its address.
async fn provider(packages: &Path) -> (Child, String) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/blackbox/token_provider/provider.py");
    let mut command = Command::new("python3");
    command.args([program, CLIENT, AUDIENCE]).env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("AUTHLIB_INSECURE_TRANSPORT", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().expect("the provider has ended");
    (child, url)
}

async fn token(url: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test is the caller, not the service")]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", "secret"),
        ("scope", "bookings"),
    ];
    let answer = http.post(format!("{url}/token")).form(&form).send().await.unwrap();
    let granted: Value = answer.json().await.unwrap();
    granted["access_token"].as_str().unwrap_or_else(|| panic!("{granted}")).to_owned()
}

/// What a provider grants by client credentials books, under the source system of the client.
#[tokio::test]
async fn a_token_of_authlibs_books() {
    let Some(packages) = packages().await else { return };
    let (provider, url) = provider(&packages).await;
    let block = format!(
        "[[access.issuer]]\nname = \"authlib\"\nissuer = \"{url}\"\naudiences = [\"{AUDIENCE}\"]\nalgorithms = [\"RS256\"]\n\
         source_system_claim = \"client_id\"\nsource_systems = {{ \"{CLIENT}\" = \"room-booking\" }}\nroles_claim = \"roles\"\n"
    );
    let app = TestApp::builder().at_real_time().settings_file(&block).start().await;
    let token = token(&url).await;
    let caller = me(&app, &token).await.expect(200).json();
    let credential = json!({"kind": "token", "name": format!("authlib:{CLIENT}")});
    let expected =
        json!({"sourceSystem": "room-booking", "roles": ["bookings.write"], "credential": credential});
    assert_eq!(caller, expected);
    let request = app.request(Who::Anonymous, Method::POST, "/v1/bookings").bearer_auth(&token);
    ApiResponse::read(request.json(&booking("BK-1")).send().await.unwrap()).await.expect(201);
    me(&app, &format!("{}x", &token[..token.len() - 1])).await.problem(401, "unauthenticated");
    app.end().await;
    drop(provider);
}
