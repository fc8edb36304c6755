//! The ports.

use std::net::{SocketAddr, TcpListener};

/// Takes a port, before anything else is started that would have to be undone.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
