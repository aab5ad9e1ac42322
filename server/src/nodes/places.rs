//! [`Place`]: how many streams each may have over all gateways.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use redis::Script;
use tokio::time::timeout;

use super::{Inner, Nodes, lease::lease_ms, lock};
use crate::{
    access::ReaderIdentity,
    streams::{Refused, StreamLimits},
};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/take.lua")));

/// How long the question for a place may take before the gateway's own limit is enough.
const PATIENCE: Duration = Duration::from_secs(1);

/// A stream's place among those of its owner and its address. Dropping it gives it back.
pub(crate) struct Place {
    inner: Arc<Inner>,
    fields: Vec<String>,
}

impl Nodes {
    /// Takes a place for a stream of this reader. Where Redis does not answer there is always one: the gateway's own limit
    /// holds.
    ///
    /// # Errors
    /// [`Refused`]: over all gateways there are as many as may be.
    pub(crate) async fn take(&self, reader: &ReaderIdentity, limits: StreamLimits) -> Result<Place, Refused> {
        let inner = &self.inner;
        let owner = (reader.owner.clone(), limits.per_owner);
        let address = reader
            .address
            .map(|address| (format!("address {address}"), limits.per_address));
        let limited: Vec<_> = std::iter::once(owner).chain(address).collect();
        let mut call = TAKE.key(inner.keys.nodes());
        call.arg(inner.keys.prefix())
            .arg(inner.me.to_string())
            .arg(lease_ms());
        // From here on it counts, so that of two at once each knows of the other.
        let place = Place::new(
            inner.clone(),
            limited.iter().map(|(field, _)| field.clone()).collect(),
        );
        for (field, most) in &limited {
            call.arg(field).arg(lock(&inner.users).of(field)).arg(*most);
        }
        let Some(mut connection) = inner.connection() else {
            return Ok(place);
        };
        match timeout(PATIENCE, call.invoke_async(&mut connection)).await {
            Ok(Ok(0)) => Ok(place),
            Ok(Ok(1)) => Err(Refused::PerOwner(limits.per_owner)),
            Ok(Ok(_)) => Err(Refused::PerAddress(limits.per_address)),
            Ok(Err(_)) | Err(_) => Ok(place),
        }
    }
}

impl Place {
    fn new(inner: Arc<Inner>, fields: Vec<String>) -> Self {
        let mut users = lock(&inner.users);
        fields.iter().for_each(|field| users.add(field));
        drop(users);
        Self { inner, fields }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut users = lock(&self.inner.users);
        self.fields.iter().for_each(|field| users.take(field));
    }
}
