//! [`Room`]: how many connections there may be.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::addresses::{TrustedProxies, host};

/// How many connections there may be: in all, and of one address. Who opens connections, which costs nothing, and even who
/// asks something on each, can therefore not take all of them. A trusted proxy and this machine itself, from which all may come,
/// are one address for who has not sent a request yet, and none for who has.
pub(super) struct Room {
    places: Arc<Semaphore>,
    unheard: Arc<Addresses>,
    heard: Arc<Addresses>,
    trusted: TrustedProxies,
}

/// A connection's place. It is free again when this is dropped.
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_address: Option<Counted>,
}

/// A connection that is counted for its address until this is dropped.
pub(super) struct Counted {
    address: IpAddr,
    of: Arc<Addresses>,
}

struct Addresses {
    most: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// There are as many connections as there may be.
    Total,
    /// The address has as many as one may.
    Address,
    /// The address has as many that have said nothing as one may.
    Silent,
}

/// One address may have this part of all connections.
const PART_OF_AN_ADDRESS: usize = 2;
/// And this part without a request on them.
const SILENT_PART_OF_AN_ADDRESS: usize = 4;
/// And so many in any case, which a small gateway behind a proxy needs.
const LEAST_OF_AN_ADDRESS: usize = 64;

impl Room {
    pub(super) fn new(connections: usize, trusted: TrustedProxies) -> Self {
        let part = |part: usize| {
            Arc::new(Addresses {
                most: (connections / part).max(LEAST_OF_AN_ADDRESS),
                counts: Mutex::default(),
            })
        };
        Self {
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            unheard: part(SILENT_PART_OF_AN_ADDRESS),
            heard: part(PART_OF_AN_ADDRESS),
            trusted,
        }
    }

    /// Takes a place for a connection from there, which is silent until the second of both is dropped.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(super) fn take(&self, peer: IpAddr) -> Result<(Place, Counted), NoRoom> {
        let (peer, address) = (peer.to_canonical(), host(peer));
        let of_all = self.places.clone().try_acquire_owned();
        let of_all = of_all.map_err(|_| NoRoom::Total)?;
        let of_address = if peer.is_loopback() || self.trusted.contain(peer) {
            None
        } else {
            Some(Counted::new(&self.heard, address).ok_or(NoRoom::Address)?)
        };
        let silent = Counted::new(&self.unheard, address).ok_or(NoRoom::Silent)?;
        let place = Place {
            _of_all: of_all,
            _of_address: of_address,
        };
        Ok((place, silent))
    }
}

impl Counted {
    fn new(of: &Arc<Addresses>, address: IpAddr) -> Option<Self> {
        let mut counts = of.counts();
        let count = counts.entry(address).or_default();
        if *count >= of.most {
            return None;
        }
        *count += 1;
        drop(counts);
        let of = of.clone();
        Some(Self { address, of })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

impl Addresses {
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_that_is_let_go_is_free_again() {
        let room = Room::new(2, TrustedProxies::default());
        let one = room.take(address("10.0.0.1")).unwrap();
        let _two = room.take(address("10.0.0.2")).unwrap();
        assert_eq!(room.take(address("10.0.0.3")).err(), Some(NoRoom::Total));
        drop(one);
        room.take(address("10.0.0.3")).unwrap();
    }

    #[test]
    fn an_address_has_a_part_of_the_places_until_it_is_heard() {
        let room = Room::new(4_000, TrustedProxies::default());
        let mut taken = Vec::new();
        for host in 0..1_000 {
            taken.push(room.take(address(&format!("2001:db8::{host:x}"))).unwrap());
        }
        let refused = room.take(address("2001:db8::ffff:1"));
        assert_eq!(refused.err(), Some(NoRoom::Silent));
        room.take(address("2001:db8:0:1::1")).unwrap();
        // The place stays taken, and is no longer that of a stranger.
        let (place, unheard) = taken.pop().unwrap();
        drop(unheard);
        room.take(address("2001:db8::ffff:1")).unwrap();
        drop((place, taken));
        assert!(room.unheard.counts().is_empty());
    }

    #[test]
    fn an_address_that_is_heard_has_half_of_the_places_unless_all_come_from_it() {
        let room = Room::new(200, "10.0.0.0/8".parse().unwrap());
        let take = |text: &str| room.take(address(text)).map(|(place, _)| place);
        let taken: Vec<_> = (0..100).map(|_| take("192.0.2.1").unwrap()).collect();
        assert_eq!(take("192.0.2.1").err(), Some(NoRoom::Address));
        let others: Vec<_> = (0..100).map(|_| take("10.0.0.1").unwrap()).collect();
        assert_eq!(take("192.0.2.2").err(), Some(NoRoom::Total));
        drop((taken, others));
        let ours: Vec<_> = (0..200).map(|_| take("::ffff:127.0.0.1").unwrap()).collect();
        assert_eq!(take("192.0.2.2").err(), Some(NoRoom::Total));
        drop(ours);
        assert!(room.heard.counts().is_empty() && room.unheard.counts().is_empty());
    }
}
