//! The server for this process.

use meeting_provisioner::local_postgres::{LocalPostgres, LocalPostgresError};
use url::Url;

#[cfg(feature = "test-containers")]
use super::container::Container;
use super::local::{local_settings, variable};

/// How long the server lives, compared with this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It ends with us, and so does all that is in it.
    Ours,
    /// It was there before and stays.
    Longer,
}

/// A server to make databases on. It is kept in a static, which Rust never drops: whatever holds a server of ours
/// ends it when the process has gone.
pub struct Server {
    /// For connecting to a database in which other databases can be made.
    pub url: Url,
    pub lifetime: Lifetime,
    _holder: Option<Holder>,
}

#[expect(dead_code, reason = "what is held is never asked for anything")]
enum Holder {
    Local(Box<LocalPostgres>),
    #[cfg(feature = "test-containers")]
    Container(Box<Container>),
}

impl Server {
    /// Finds or starts one; the error names everything that was tried.
    pub async fn find() -> Result<Self, String> {
        let forced = variable("TEST_POSTGRES");
        match forced.as_deref() {
            None => match variable("TEST_DATABASE_URL").or_else(|| variable("DATABASE_URL")) {
                Some(url) => Self::given(&url),
                None => Self::local_or_container().await,
            },
            Some("local") => local().await.map_err(|error| error.to_string()),
            Some("container") => container().await,
            Some(other) => Err(format!("TEST_POSTGRES is {other:?}; it can be \"local\" or \"container\"")),
        }
    }

    fn given(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("TEST_DATABASE_URL or DATABASE_URL: {error}"))?;
        Ok(Self { url, lifetime: Lifetime::Longer, _holder: None })
    }

    async fn local_or_container() -> Result<Self, String> {
        let missing = match local().await {
            Err(
                missing @ (LocalPostgresError::ProgramsNotFound { .. }
                | LocalPostgresError::NoUnprivilegedAccount),
            ) => missing,
            // Programs that are there but don't work are a fault to be seen, not a reason for a container.
            found => return found.map_err(|error| error.to_string()),
        };
        container().await.map_err(|refusal| {
            format!(
                "The tests need Postgres.\n1. Neither TEST_DATABASE_URL nor DATABASE_URL is set.\n\
                 2. On this machine: {missing}\n3. In a container: {refusal}"
            )
        })
    }
}

async fn local() -> Result<Server, LocalPostgresError> {
    let start = tokio::task::spawn_blocking(|| LocalPostgres::start(&local_settings()));
    let postgres = start.await.expect("the start does not panic")?;
    let url = Url::parse(&postgres.url("postgres")).expect("a URL of our own");
    Ok(Server { url, lifetime: Lifetime::Ours, _holder: Some(Holder::Local(Box::new(postgres))) })
}

#[cfg(not(feature = "test-containers"))]
fn container() -> impl Future<Output = Result<Server, String>> {
    let missing = "the tests were compiled without it; use cargo test --features test-containers";
    std::future::ready(Err(missing.to_owned()))
}

#[cfg(feature = "test-containers")]
async fn container() -> Result<Server, String> {
    let image = variable("TEST_POSTGRES_IMAGE").unwrap_or_else(|| "postgres:16-alpine".to_owned());
    let (container, url) = Container::start(&image).await?;
    Ok(Server { url, lifetime: Lifetime::Ours, _holder: Some(Holder::Container(Box::new(container))) })
}
