//! What a program does before it serves: its own log, its socket, the signals that stop it.

use std::io::{self, IsTerminal};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Writes the program's own log to standard error from here on.
pub fn tracing(filter: &str, format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// A socket that listens there.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn listen((host, port): &(String, u16)) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host.as_str(), *port)).await.map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::AddrInUse {
            " (another gateway? PORT=0 picks a free port)"
        } else {
            ""
        };
        anyhow::Error::new(error).context(format!("cannot listen on {host}:{port}{hint}"))
    })
}

/// Two futures: the first resolves at the first SIGTERM or SIGINT, the second at the one after.
/// Both signals are caught from here on.
///
/// # Errors
/// The system does not let them be caught.
pub fn stop_signals() -> anyhow::Result<[impl Future<Output = ()> + Send + 'static; 2]> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (first, stop) = oneshot::channel();
    let (second, stop_now) = oneshot::channel();
    tokio::spawn(async move {
        for asked in [first, second] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // Nobody listens for the second before the first has come.
            let _ = asked.send(());
        }
    });
    let asked = |signal: oneshot::Receiver<()>| async {
        let _ = signal.await;
    };
    Ok([asked(stop), asked(stop_now)])
}
