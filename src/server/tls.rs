//! TLS on the public port: the certificate that is shown, read again when its files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The one protocol that is spoken over it.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate, and after it those that lead to a root, as PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, as PEM, without a passphrase.
    pub(crate) private_key: PathBuf,
    /// The authorities whose certificates clients may show, as PEM, if they may show any.
    pub(crate) client_authorities: Option<PathBuf>,
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file can't be read.
    #[error("{} can't be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// A file holds no certificate, or something broken.
    #[error("{} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    /// A file holds no private key that can be used.
    #[error(
        "{} holds no private key that can be used: it must be PEM, without a passphrase, with -----BEGIN PRIVATE KEY-----",
        .0.display()
    )]
    NoPrivateKey(PathBuf),
    /// A certificate can't be an authority for those of clients.
    #[error("{} can't be used as the authority of clients", .0.display())]
    NoAuthority(PathBuf, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// They don't belong together, or the certificate is of a kind that TLS can't use.
    #[error("the certificate of {} and the private key of {} can't be used together", certificate.display(), private_key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// What the TLS library says.
        #[source]
        source: rustls::Error,
    },
}

/// A certificate that is in use. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Arc<TlsState>);

#[derive(Debug)]
struct TlsState {
    files: TlsFiles,
    /// For connections that are opened from now on; those that are open keep theirs.
    current: RwLock<Arc<ServerConfig>>,
    /// What was read last, whether it could be used or not.
    last_read: Mutex<PemTexts>,
}

#[derive(PartialEq, Eq)]
struct PemTexts {
    certificate: Vec<u8>,
    private_key: Vec<u8>,
    client_authorities: Option<Vec<u8>>,
}

impl std::fmt::Debug for PemTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PemTexts")
    }
}

impl Tls {
    /// Reads the files. Blocks.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsFault> {
        let texts = read(&files)?;
        let current = RwLock::new(Arc::new(config(&files, &texts)?));
        Ok(Self(Arc::new(TlsState { files, current, last_read: Mutex::new(texts) })))
    }

    /// Reads them again; whether there is another certificate now. What can't be used is told once, and the certificate
    /// before stays in use. Blocks.
    pub(crate) fn reload(&self) -> Result<bool, TlsFault> {
        let texts = read(&self.0.files)?;
        let mut last_read = self.0.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        if *last_read == texts {
            return Ok(false);
        }
        let made = config(&self.0.files, &texts);
        *last_read = texts;
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(made?);
        Ok(true)
    }

    /// Begins TLS on a connection.
    pub(super) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        let current = Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(current).accept(stream)
    }
}

fn read(files: &TlsFiles) -> Result<PemTexts, TlsFault> {
    let text =
        |file: &Path| std::fs::read(file).map_err(|source| TlsFault::Unreadable(file.to_owned(), source));
    Ok(PemTexts {
        certificate: text(&files.certificate)?,
        private_key: text(&files.private_key)?,
        client_authorities: files.client_authorities.as_deref().map(text).transpose()?,
    })
}

fn config(files: &TlsFiles, texts: &PemTexts) -> Result<ServerConfig, TlsFault> {
    let chain = certificates(&files.certificate, &texts.certificate)?;
    let private_key = PrivateKeyDer::from_pem_slice(&texts.private_key)
        .map_err(|_| TlsFault::NoPrivateKey(files.private_key.clone()))?;
    let unusable = |source| TlsFault::Unusable {
        certificate: files.certificate.clone(),
        private_key: files.private_key.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let authorities = files.client_authorities.as_deref().zip(texts.client_authorities.as_deref());
    let builder = match authorities {
        Some((file, text)) => builder.with_client_cert_verifier(client_verifier(file, text, provider)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, private_key).map_err(unusable)?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(config)
}

fn certificates(file: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let some = read.ok().filter(|certificates| !certificates.is_empty());
    some.ok_or_else(|| TlsFault::NoCertificate(file.to_owned()))
}

/// Verifies the certificates of clients that show one; who shows none has to authenticate otherwise.
fn client_verifier(
    file: &Path,
    text: &[u8],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(file, text)? {
        roots.add(authority).map_err(|error| TlsFault::NoAuthority(file.to_owned(), error.into()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(|error| TlsFault::NoAuthority(file.to_owned(), error.into()))
}
