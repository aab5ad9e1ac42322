//! Serving: from a bound socket to a polite stop. The order of stopping is here and nowhere else.

use std::{pin::pin, time::Duration};

use tokio::{net::TcpListener, sync::watch, time};

use crate::{connections::Connections, gateway::Gateway};

/// Serves until `stop` resolves; then no more connections are taken, the streams are told so and end
/// each at a moment of its own, requests under way are finished, and what is not done after the drain
/// time is cut. Whoever drops this before cuts everything.
pub async fn serve(listener: TcpListener, gateway: Gateway, stop: impl Future<Output = ()>) {
    let connections = Connections::new(&gateway);
    let drain = gateway.config().drain;
    until_stopped(
        &connections,
        listener,
        drain,
        stop,
        || gateway.drain(),
        tick(&gateway),
    )
    .await;
}

/// Answers what comes on these connections until `stop` resolves; then `tell` tells the streams, and there is this time for
/// them to end. `beside` is done meanwhile.
pub(crate) async fn until_stopped(
    connections: &Connections,
    listener: TcpListener,
    drain: Duration,
    stop: impl Future<Output = ()>,
    tell: impl FnOnce(),
    beside: impl Future<Output = ()>,
) {
    // Each connection listens to this, and ends with it.
    let (connected, _) = watch::channel(());
    let mut beside = pin!(beside);
    tokio::select! {
        () = connections.take_from(listener, &connected) => {}
        () = &mut beside => {}
        () = stop => {}
    }
    tracing::info!("stopping: no more connections are taken, streams end within the drain time");
    tell();
    let _ = connected.send(());
    tokio::select! {
        () = connected.closed() => {}
        () = &mut beside => {}
        () = time::sleep(drain) => {
            tracing::warn!(?drain, "connections were still open after the drain time and are cut");
        }
    }
}

async fn tick(gateway: &Gateway) {
    let mut seconds = time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        gateway.tick();
    }
}
