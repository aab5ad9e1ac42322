//! [`Room`]: how many connections there may be.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::addresses::whose;

/// How many connections there may be: in all, and of one address before they have sent a request. Who only opens
/// connections, which costs nothing, can therefore not take all of them; behind a proxy, where all come from one
/// address, each is heard at once.
pub(super) struct Room {
    places: Arc<Semaphore>,
    unheard: Arc<Addresses>,
}

/// A connection's place. It is free again when this is dropped.
pub(super) struct Place(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

/// A connection that has not sent a request. It is none any more when this is dropped.
pub(super) struct Unheard {
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
    /// The address has as many that have said nothing as one may.
    Address,
}

/// One address may have this part of all connections without a request on them.
const PART_OF_AN_ADDRESS: usize = 4;
/// And so many in any case, which a small gateway behind a proxy needs.
const LEAST_OF_AN_ADDRESS: usize = 64;

impl Room {
    pub(super) fn new(connections: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            unheard: Arc::new(Addresses {
                most: (connections / PART_OF_AN_ADDRESS).max(LEAST_OF_AN_ADDRESS),
                counts: Mutex::default(),
            }),
        }
    }

    /// Takes a place for a connection from there.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(super) fn take(&self, address: IpAddr) -> Result<(Place, Unheard), NoRoom> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| NoRoom::Total)?;
        let unheard = Unheard::new(&self.unheard, whose(address)).ok_or(NoRoom::Address)?;
        Ok((Place(place), unheard))
    }
}

impl Unheard {
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

impl Drop for Unheard {
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
        let room = Room::new(2);
        let one = room.take(address("10.0.0.1")).unwrap();
        let _two = room.take(address("10.0.0.2")).unwrap();
        assert_eq!(room.take(address("10.0.0.3")).err(), Some(NoRoom::Total));
        drop(one);
        room.take(address("10.0.0.3")).unwrap();
    }

    #[test]
    fn an_address_has_a_part_of_the_places_until_it_is_heard() {
        let room = Room::new(4_000);
        let mut taken = Vec::new();
        for host in 0..1_000 {
            taken.push(room.take(address(&format!("2001:db8::{host:x}"))).unwrap());
        }
        let refused = room.take(address("2001:db8::ffff:1"));
        assert_eq!(refused.err(), Some(NoRoom::Address));
        room.take(address("2001:db8:0:1::1")).unwrap();
        // The place stays taken, and is no longer that of a stranger.
        let (place, unheard) = taken.pop().unwrap();
        drop(unheard);
        room.take(address("2001:db8::ffff:1")).unwrap();
        drop((place, taken));
        assert!(room.unheard.counts().is_empty());
    }
}
