//! Serving: from a bound socket to a polite stop. The order of stopping is here and nowhere else.

use tokio::{net::TcpListener, sync::watch, time};

use crate::{connections::Connections, gateway::Gateway};

/// Serves until `stop` resolves; then no more connections are taken, the streams are told so and end
/// each at a moment of its own, requests under way are finished, and what is not done after the drain
/// time is cut. Whoever drops this before cuts everything.
pub async fn serve(listener: TcpListener, gateway: Gateway, stop: impl Future<Output = ()>) {
    let drain = gateway.config().drain;
    let connections = Connections::new(&gateway);
    // Each connection listens to this, and ends with it.
    let (connected, _) = watch::channel(());
    tokio::select! {
        () = connections.take_from(listener, &connected) => {}
        () = tick(&gateway) => {}
        () = stop => {}
    }
    tracing::info!("stopping: no more connections are taken, streams end within the drain time");
    gateway.drain();
    let _ = connected.send(());
    tokio::select! {
        () = connected.closed() => {}
        () = tick(&gateway) => {}
        () = time::sleep(drain) => {
            tracing::warn!(?drain, "connections were still open after the drain time and are cut");
        }
    }
}

async fn tick(gateway: &Gateway) {
    let mut seconds = time::interval(time::Duration::from_secs(1));
    seconds.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        gateway.tick();
    }
}
