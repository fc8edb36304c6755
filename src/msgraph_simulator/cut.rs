//! Ending a TCP connection in ways that a well-behaved HTTP server never would.
//!
//! The server keeps its own socket to itself, so a second handle to the same socket is put beside every connection
//! when it is opened. What is done to that handle is done to the connection.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::dev::Extensions;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::net::TcpSocket;

/// A second handle to a connection's socket.
#[derive(Debug)]
pub(super) struct CutConnection(TcpStream);

/// Puts the second handle beside a connection that was just opened. Without one, which only a lack of file
/// descriptors brings about, a cut falls back to an unfinished answer.
pub(super) fn remember(connection: &dyn Any, extensions: &mut Extensions) {
    let stream = connection.downcast_ref::<actix_web::rt::net::TcpStream>();
    if let Some(Ok(handle)) = stream.map(|stream| stream.as_fd().try_clone_to_owned()) {
        extensions.insert(Arc::new(CutConnection(TcpStream::from(handle))));
    }
}

fn connection(request: &HttpRequest) -> Option<Arc<CutConnection>> {
    request.conn_data::<Arc<CutConnection>>().cloned()
}

impl CutConnection {
    /// Both directions end now (FIN). A failure means that the other side was faster.
    fn close(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Whenever the last handle goes, the connection is reset (RST) instead of closed.
    fn reset_on_close(&self) {
        if let Ok(handle) = self.0.try_clone() {
            let _ = TcpSocket::from_std_stream(handle).set_zero_linger();
        }
    }
}

/// Closes the connection without a single byte: what the server writes afterwards meets a closed socket.
pub(super) fn close(request: &HttpRequest) -> HttpResponse {
    match connection(request) {
        Some(connection) => {
            connection.close();
            HttpResponse::NoContent().finish()
        }
        None => unfinished(),
    }
}

/// Resets the connection without a single byte.
pub(super) fn reset(request: &HttpRequest) -> HttpResponse {
    if let Some(connection) = connection(request) {
        connection.reset_on_close();
    }
    unfinished()
}

/// A body that fails before its first byte: the server drops the connection and with it the head that it has not
/// sent yet.
fn unfinished() -> HttpResponse {
    let failure = io::Error::other("the simulator breaks this connection on purpose");
    HttpResponse::Ok().streaming(stream::iter([Err::<Bytes, _>(failure)]))
}

/// Sends the head, which promises the whole body, and the body's first half; then closes.
pub(super) fn truncate(request: &HttpRequest, mut head: HttpResponseBuilder, body: String) -> HttpResponse {
    let connection = connection(request);
    let length = body.len() as u64;
    let mut first = Bytes::from(body);
    let rest = first.split_off(first.len() / 2);
    let sent = stream::iter([Ok::<_, io::Error>(first)]);
    let cut = stream::once(async move {
        // The server flushes what it has while the body makes it wait.
        tokio::task::yield_now().await;
        match connection {
            Some(connection) => {
                connection.close();
                Ok(rest)
            }
            None => Err(io::Error::other("the simulator breaks this connection on purpose")),
        }
    });
    head.body(SizedStream::new(length, sent.chain(cut).boxed_local()))
}
