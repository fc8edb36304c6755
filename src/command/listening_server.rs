//! A port, and the server that answers on it.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::{Server, ServerHandle};

use super::background_loops::BackgroundLoops;
use super::start_fault::StartFault;
use crate::error_chain::chain;
use crate::server::bind;

/// A port that is taken, on which no server answers yet.
#[derive(Debug)]
pub(super) struct BoundPort {
    setting: &'static str,
    address: SocketAddr,
    listener: TcpListener,
}

/// A server that answers on its port.
#[derive(Debug)]
pub(super) struct ListeningServer {
    /// The address, with the port that the system chose where the settings say 0.
    pub(super) address: SocketAddr,
    /// Stops the server.
    pub(super) handle: ServerHandle,
}

impl BoundPort {
    /// Takes the port.
    pub(super) fn bind(setting: &'static str, address: SocketAddr) -> Result<Self, StartFault> {
        let fault = |source| StartFault::Listen { setting, address, source };
        let listener = bind(address).map_err(fault)?;
        Ok(Self { setting, address: listener.local_addr().map_err(fault)?, listener })
    }

    /// Starts the server that `open` makes for the listener, as one of these loops.
    pub(super) fn serve(
        self,
        name: &'static str,
        servers: &mut BackgroundLoops,
        open: impl FnOnce(TcpListener) -> std::io::Result<Server>,
    ) -> Result<ListeningServer, StartFault> {
        let Self { setting, address, listener } = self;
        let server = open(listener).map_err(|source| StartFault::Listen { setting, address, source })?;
        let handle = server.handle();
        servers.spawn(name, async move {
            if let Err(error) = server.await {
                tracing::error!(name, error = chain(&error), "a port is not served any more");
            }
        });
        Ok(ListeningServer { address, handle })
    }
}
