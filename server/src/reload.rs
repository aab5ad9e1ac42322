//! [`reload_on_hangup`]: what may change while the gateway runs.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

use crate::{access::ReadAccess, config::Config, gateway::Gateway, tls::Tls};

/// Reads the files of its settings again at each SIGHUP, and says what came of it: certificates, tokens, keys. What is wrong
/// in one leaves what was read from it before. Without such files the signal does what it does to any program, which is
/// to end it with its terminal.
///
/// # Errors
/// The signal cannot be caught.
pub fn reload_on_hangup(gateway: Gateway) -> io::Result<()> {
    if !has_files(gateway.config()) {
        return Ok(());
    }
    on_hangup(move || reload(gateway.config()))
}

/// Does this at each SIGHUP, which no longer ends the program.
pub(crate) fn on_hangup(reload: impl Fn() + Clone + Send + 'static) -> io::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            // One after the other, so that the newest files are what remains.
            let _ = spawn_blocking(reload.clone()).await;
        }
    });
    Ok(())
}

fn has_files(config: &Config) -> bool {
    let has_keys = matches!(&config.read, ReadAccess::Jwt(jwt) if jwt.settings().key_file.is_some());
    config.tls.is_some() || config.service_tokens.is_from_file() || has_keys
}

fn reload(config: &Config) {
    let keys = match &config.read {
        ReadAccess::Jwt(jwt) => jwt.reload(),
        _ => None,
    };
    for (variable, reloaded) in [
        ("SERVICE_TOKENS_FILE", config.service_tokens.reload()),
        ("JWT_PUBLIC_KEY_FILE", keys),
    ] {
        match reloaded {
            None => {}
            Some(Ok(count)) => tracing::info!(count, "{variable} was read again"),
            Some(Err(error)) => tracing::error!("{variable} stays as it was: {error}"),
        }
    }
    if let Some(tls) = &config.tls {
        certificate(tls);
    }
}

/// Reads a certificate again, and says what came of it.
pub(crate) fn certificate(tls: &Tls) {
    match tls.reload() {
        Ok(()) => tracing::info!("TLS_CERT was read again"),
        Err(error) => tracing::error!("TLS_CERT stays as it was: {error}"),
    }
}
