//! The one connection over which a gateway is a node: it says that it is there, tells its counts, and hears the others.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use redis::{PushInfo, PushKind, RedisResult, Value, aio::MultiplexedConnection};
use tokio::{
    sync::{Notify, mpsc},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{Here, Inner, counts, lease, lock, revoked};
use crate::{
    engine::{RedisTrouble, connect_live},
    random,
};

/// How long after a failure it is tried again, in milliseconds: at first, and at most.
const RETRY_MS: (u64, u64) = (100, 2_000);
/// How often counts that change are told.
const COUNTED: Duration = Duration::from_millis(100);
/// How many messages wait to be heard; more are lost, and who asked asks again.
const WAITING: usize = 1_024;

/// Keeps the gateway a node, until it is dropped.
pub(super) async fn keep(inner: Arc<Inner>, here: Weak<dyn Here>) {
    let mut wait_ms = RETRY_MS.0;
    let mut is_told = false;
    loop {
        let error = match live(&inner, &here).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if here.strong_count() == 0 {
            return;
        }
        if inner.leave() {
            (wait_ms, is_told) = (RETRY_MS.0, false);
        }
        let trouble = format!(
            "this gateway is cut off from the others: {}",
            RedisTrouble::of(&error)
        );
        if !std::mem::replace(&mut is_told, true) {
            tracing::warn!("{trouble}");
        }
        *lock(&inner.trouble) = Some(trouble);
        sleep(Duration::from_millis(random::jittered(wait_ms))).await;
        wait_ms = (wait_ms * 2).min(RETRY_MS.1);
    }
}

async fn live(inner: &Arc<Inner>, here: &Weak<dyn Here>) -> RedisResult<Infallible> {
    let (heard, mut messages) = mpsc::channel(WAITING);
    let lost = Arc::new(Notify::new());
    let tell_lost = lost.clone();
    let push = move |push: PushInfo| -> Result<(), Infallible> {
        match push.kind {
            PushKind::Message => {
                if let Some(Value::BulkString(bytes)) = push.data.into_iter().nth(1) {
                    // Where it is full it is lost.
                    let _ = heard.try_send(bytes);
                }
            }
            PushKind::Disconnection => tell_lost.notify_one(),
            _ => {}
        }
        Ok(())
    };
    let mut connection = connect_live(&inner.settings.url, push).await?;
    // Before anything is read: what is said after that is heard.
    connection
        .subscribe(&[inner.keys.ask(inner.me), inner.keys.all()])
        .await?;
    join(&mut connection, inner, here).await?;
    inner.is_joined(connection.clone());
    // Who is let in finds a gateway that can do all that it is asked for.
    here.upgrade().ok_or_else(gone)?.revoked().is_known_now();
    tracing::info!(node = %inner.me, "this gateway and the others know of each other");
    let mut seconds = interval(lease::RENEWED);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut counted = interval(COUNTED);
    counted.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        tokio::select! {
            _ = seconds.tick() => {
                let renewed = lease::renew(&mut connection, inner).await?;
                if !renewed.was_there {
                    // The counts have gone with it, or all that Redis had.
                    join(&mut connection, inner, here).await?;
                } else if known.as_ref() != Some(&renewed.revocations) {
                    // What was said of it may have been lost among what others say.
                    revoked::settle(&mut connection, inner, &*here.upgrade().ok_or_else(gone)?).await?;
                }
                known = Some(renewed.revocations);
            }
            _ = counted.tick() => tell_counts(&mut connection, inner, here).await?,
            Some(bytes) = messages.recv() => inner.hear(here, &bytes),
            () = lost.notified() => return Err(gone().into()),
        }
    }
}

/// Tells everything that others are to know of this gateway, and reads what it is to know.
async fn join(
    connection: &mut MultiplexedConnection,
    inner: &Inner,
    here: &Weak<dyn Here>,
) -> RedisResult<()> {
    let here = here.upgrade().ok_or_else(gone)?;
    revoked::settle(connection, inner, &*here).await?;
    let users = lock(&inner.users).all();
    counts::write_all(connection, &inner.keys.users(inner.me), &users).await?;
    count_readers(inner, &*here);
    let readers = lock(&inner.readers).all();
    counts::write_all(connection, &inner.keys.readers(inner.me), &readers).await?;
    // Last: who is there has told its counts.
    lease::renew(connection, inner).await.map(drop)
}

async fn tell_counts(
    connection: &mut MultiplexedConnection,
    inner: &Inner,
    here: &Weak<dyn Here>,
) -> RedisResult<()> {
    let here = here.upgrade().ok_or_else(gone)?;
    let users = lock(&inner.users).take_changed();
    counts::write(connection, &inner.keys.users(inner.me), &users).await?;
    count_readers(inner, &*here);
    let readers = lock(&inner.readers).take_changed();
    counts::write(connection, &inner.keys.readers(inner.me), &readers).await
}

fn count_readers(inner: &Inner, here: &dyn Here) {
    let changed = here.changed_readers();
    let mut readers = lock(&inner.readers);
    for (channel, count) in changed {
        readers.set(channel.to_string(), count);
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the connection has ended")
}
