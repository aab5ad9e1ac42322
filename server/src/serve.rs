//! Serving: from a bound socket to a polite stop. The order of stopping is here and nowhere else.

use std::{net::SocketAddr, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, time};

use crate::{gateway::Gateway, http, stalled::StallLimited};

/// How long a connection may take nothing of what it is sent before it is closed.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Serves until `stop` resolves; then no more connections are taken, the streams are told so and end
/// each at a moment of its own, requests under way are finished, and what is not done after the drain
/// time is cut.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let drain = gateway.config().drain;
    let ticking = tokio::spawn(tick(gateway.clone()));
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let streams = gateway.clone();
    let stop = async move {
        stop.await;
        tracing::info!("stopping: no more connections are taken, streams end within the drain time");
        streams.drain();
        let _ = stopping.send(());
    };
    // A record must not wait in the kernel for the acknowledgement of the one before it.
    let listener = StallLimited::new(listener, STALLED_AFTER, gateway.stalled()).tap_io(|connection| {
        if let Err(error) = connection.socket().set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
    });
    let app = http::app(gateway).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop);
    let result = tokio::select! {
        result = async { serving.await } => result,
        () = after(stopped, drain) => {
            tracing::warn!(?drain, "connections were still open after the drain time and are cut");
            Ok(())
        }
    };
    ticking.abort();
    result
}

async fn after(stopped: tokio::sync::oneshot::Receiver<()>, drain: Duration) {
    if stopped.await.is_err() {
        // Serving failed before anybody asked it to stop, and says so itself.
        std::future::pending::<()>().await;
    }
    time::sleep(drain).await;
}

async fn tick(gateway: Gateway) {
    let mut seconds = time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        gateway.tick();
    }
}
