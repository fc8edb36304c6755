//! Takes the ports.

use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// Connections that the system keeps until they are accepted; Linux lowers it to `net.core.somaxconn`. Enough for all
/// callers that connect again at once after a restart.
const BACKLOG: u32 = 4_096;

/// Takes a port, before anything else is started that would have to be stopped again. Called on a runtime.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port whose last connections are in TIME_WAIT may be taken.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
