//! How many connections each peer address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The connections by peer address: an IPv4 address, or the 64 bits of an IPv6 address that name a network.
#[derive(Debug)]
pub(super) struct Peers {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection among those of its peer, until it is dropped.
#[derive(Debug)]
pub(super) struct PeerPlace {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Peers {
    /// Allows so many connections of each.
    pub(super) fn with_at_most(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// One more connection of a peer, unless it has as many as are allowed.
    pub(super) fn one_more(self: &Arc<Self>, address: IpAddr) -> Option<PeerPlace> {
        let peer = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(PeerPlace { peers: Arc::clone(self), peer })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

/// What one client can't choose freely of its address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_places_and_leaves_none_behind() {
        let peers = Peers::with_at_most(2);
        let place = |text: &str| peers.one_more(text.parse().unwrap());
        let held =
            [place("192.0.2.1"), place("::ffff:192.0.2.1"), place("2001:db8::1"), place("2001:db8::2:1")];
        assert!(held.iter().all(Option::is_some));
        for (address, has_place) in [
            ("192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::ffff:0:0:1", false),
            ("2001:db8:0:1::1", true),
        ] {
            assert_eq!(place(address).is_some(), has_place, "{address}");
        }
        drop(held);
        assert!(peers.open.lock().unwrap().is_empty());
    }
}
