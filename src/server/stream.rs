//! The bytes of a connection, encrypted or not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

use crate::access::PeerCertificate;

/// A stream that HTTP can be spoken over.
pub(super) enum Stream {
    /// As the system gives it.
    Plain(TcpStream),
    /// Under TLS, once that is agreed on: it is when HTTP first wants to read. The certificate that the client then shows is told.
    Agreeing(Box<Accept<TcpStream>>, PeerCertificate),
    /// Under TLS.
    Encrypted(Box<TlsStream<TcpStream>>),
    /// TLS could not be agreed on.
    Refused,
}

impl Stream {
    /// Writes as much of this as fits, and doesn't wait.
    pub(super) fn write_what_fits(&mut self, bytes: &[u8]) {
        if !self.is_agreeing() {
            let _as_much_as_fits = self.write(bytes).now_or_never();
            let _as_much_as_fits = self.flush().now_or_never();
        }
    }

    /// Whether TLS is still to be agreed on.
    pub(super) fn is_agreeing(&self) -> bool {
        matches!(self, Self::Agreeing(..))
    }

    /// Whether TLS could not be agreed on.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused)
    }

    fn poll_agreed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self::Agreeing(accept, peer) = self else { return Poll::Ready(Ok(())) };
        let agreed = ready!(Pin::new(accept.as_mut()).poll(context));
        let peer = peer.clone();
        *self = Self::Refused;
        let stream = agreed?;
        if let Some(shown) = stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
            peer.set(shown);
        }
        *self = Self::Encrypted(Box::new(stream));
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_agreed(context))?;
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_read(context, bytes),
            Self::Agreeing(..) | Self::Refused => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_agreed(context))?;
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
            Self::Agreeing(..) | Self::Refused => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Self::Agreeing(..) | Self::Refused => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Self::Agreeing(..) | Self::Refused => Poll::Ready(Ok(())),
        }
    }
}
