//! Serving the proxy: from a bound socket to a polite stop.

use std::{io, net::SocketAddr, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::oneshot, time};

use super::{Proxy, app};
use crate::stalled::{StallLimited, StalledCount};

/// How long a connection may take nothing of what it is sent before it is closed.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Serves until `stop` resolves; then no more connections are taken, streams are told so and end each at a moment of its own,
/// requests under way are finished, and what is not done after the drain time is cut.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    proxy: Proxy,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let drain = proxy.config().drain;
    let (stopping, stopped) = oneshot::channel::<()>();
    let streams = proxy.clone();
    let stop = async move {
        stop.await;
        tracing::info!("stopping: no more connections are taken, streams end within the drain time");
        streams.drain();
        let _ = stopping.send(());
    };
    // An event must not wait in the kernel for the acknowledgement of the one before it.
    let listener = StallLimited::new(listener, STALLED_AFTER, StalledCount::default()).tap_io(|connection| {
        if let Err(error) = connection.socket().set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
    });
    let app = app(proxy).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop);
    let cut = async {
        if stopped.await.is_err() {
            // Serving failed before anybody asked it to stop, and says so itself.
            std::future::pending::<()>().await;
        }
        time::sleep(drain).await;
    };
    tokio::select! {
        result = async { serving.await } => result,
        () = cut => {
            tracing::warn!(?drain, "connections were still open after the drain time and are cut");
            Ok(())
        }
    }
}
