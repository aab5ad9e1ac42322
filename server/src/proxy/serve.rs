//! Serving the proxy: from a bound socket to a polite stop.

use std::future;

use tokio::net::TcpListener;

use super::{Proxy, app};
use crate::{connections::Connections, serve};

/// Serves until `stop` resolves; then no more connections are taken, streams are told so and end each at a moment of its own,
/// requests under way are finished, and what is not done after the drain time is cut. Whoever drops this before cuts everything.
pub async fn serve(listener: TcpListener, proxy: Proxy, stop: impl Future<Output = ()>) {
    let config = proxy.config();
    let connections = Connections::of_proxy(app(proxy.clone()), config.tls.clone());
    let tell = || proxy.drain();
    serve::until_stopped(
        &connections,
        listener,
        config.drain,
        stop,
        tell,
        future::pending(),
    )
    .await;
}
