//! [`reload_on_hangup`]: what may change while the gateway runs.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

use crate::gateway::Gateway;

/// Reads its files again at each SIGHUP, and says what came of it. What is wrong in one leaves what was read from it
/// before. Without such files the signal does what it does to any program, which is to end it with its terminal.
///
/// # Errors
/// The signal cannot be caught.
pub fn reload_on_hangup(gateway: Gateway) -> io::Result<()> {
    if gateway.config().tls.is_none() {
        return Ok(());
    }
    let mut hangups = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            let gateway = gateway.clone();
            // One after the other, so that the newest files are what remains.
            let _ = spawn_blocking(move || reload(&gateway)).await;
        }
    });
    Ok(())
}

fn reload(gateway: &Gateway) {
    if let Some(tls) = &gateway.config().tls {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!("the certificate stays as it was: {error}"),
        }
    }
}
