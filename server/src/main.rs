//! `logs-gateway`: the gateway, and its clients on the command line.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use logs_gateway::{
    cli::Cli,
    config::{Config, LogFormat},
    engine::Engine,
    gateway::Gateway,
    reload::reload_on_hangup,
    serve::serve,
    summary::{Right, Summary},
};
use tokio::{net::TcpListener, signal::unix, sync::oneshot, task::spawn_blocking, time::timeout};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(command) => runtime().and_then(|runtime| runtime.block_on(interruptible(command.run()))),
        None => Config::from_settings(&cli.settings)
            .map_err(anyhow::Error::from)
            .and_then(|config| {
                let runtime = runtime()?;
                let result = runtime.block_on(run_gateway(config));
                // Who still looks through the past for somebody who was cut is not waited for.
                runtime.shutdown_background();
                result
            }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("logs-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")
}

async fn run_gateway(config: Config) -> anyhow::Result<()> {
    start_tracing(&config);
    let (host, port) = &config.listen;
    let listener = TcpListener::bind((host.as_str(), *port)).await.with_context(|| {
        format!("cannot listen on {host}:{port} (another gateway? PORT=0 picks a free port)")
    })?;
    let address = listener.local_addr()?;
    let engine = open_engine(&config).await?;
    let summary = Summary::new(&config, address);
    let json = config.log_format == LogFormat::Json;
    let gateway = Gateway::open(config, engine.clone()).context("who was revoked cannot be read")?;
    let [stop, stop_now] = stop_signals()?;
    reload_on_hangup(gateway.clone())?;
    if json {
        tracing::info!("listening on {}", summary.url());
        for Right { what, who, variable } in summary.rights() {
            tracing::info!(what, who, variable, "may");
        }
    } else {
        println!("{summary}");
    }
    for warning in summary.warnings() {
        tracing::warn!("{warning}");
    }
    let stop = async {
        let _ = stop.await;
    };
    tokio::select! {
        () = serve(listener, gateway, stop) => {}
        _ = stop_now => tracing::warn!("asked twice: streams are cut"),
    }
    // What was accepted is finished, whoever still waits for the answer.
    spawn_blocking(move || engine.close()).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Opens the log, and says so where it takes longer than a person waits without wondering.
async fn open_engine(config: &Config) -> anyhow::Result<Engine> {
    let started = Instant::now();
    let (storage, retention) = (config.storage.clone(), config.retention);
    let mut opening = spawn_blocking(move || Engine::open(&storage, retention));
    if let Ok(opened) = timeout(Duration::from_secs(1), &mut opening).await {
        return Ok(opened??);
    }
    tracing::info!("reading what the data folder has, which takes a moment");
    let engine = opening.await??;
    tracing::info!(took = ?started.elapsed(), "the data folder is open");
    Ok(engine)
}

fn start_tracing(config: &Config) {
    let filter = EnvFilter::new(&config.log_filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// Two futures: the first resolves at the first SIGTERM or SIGINT, the second at the one after.
/// Both signals are caught from here on.
fn stop_signals() -> anyhow::Result<[oneshot::Receiver<()>; 2]> {
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
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
    Ok([stop, stop_now])
}

/// A command that a person stops has done what it was asked to.
async fn interruptible(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        result = command => result,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot wait for Ctrl-C"),
    }
}
