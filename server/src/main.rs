//! `logs-gateway`: the gateway, and its clients on the command line.

use std::{
    env,
    fmt::Display,
    io,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::{CommandFactory, Parser};
use logs_gateway::{
    cli::Cli,
    config::{Config, LogFormat, misspelt},
    engine::Engine,
    gateway::Gateway,
    reload::reload_on_hangup,
    serve::serve,
    start,
    summary::{Right, Summary},
};
use tokio::{task::spawn_blocking, time::timeout};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(command) => runtime().and_then(|runtime| {
            let result = runtime.block_on(command.run());
            // Whoever still waits for a line that nobody types is not waited for.
            runtime.shutdown_background();
            result
        }),
        None => Config::from_settings(&cli.settings)
            .map_err(with_misspelt)
            .and_then(|mut config| {
                config.overlooked.extend(misspelt_variables());
                let runtime = runtime()?;
                let result = runtime.block_on(run_gateway(config));
                // Who still looks through the past for somebody who was cut is not waited for.
                runtime.shutdown_background();
                result.map(|()| ExitCode::SUCCESS)
            }),
    };
    match result {
        Ok(code) => code,
        // Whoever read the output has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("logs-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn misspelt_variables() -> Vec<String> {
    let variables = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    misspelt(&Cli::command(), variables)
}

/// What is missing may be there under another name.
fn with_misspelt(error: impl Display) -> anyhow::Error {
    let sentences = misspelt_variables().into_iter();
    anyhow::Error::msg(sentences.fold(error.to_string(), |told, sentence| {
        format!("{told}\n  {sentence}")
    }))
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
    start::tracing(&config.log_filter, config.log_format);
    let listener = start::listen(&config.listen).await?;
    let address = listener.local_addr()?;
    let engine = open_engine(&config).await?;
    let summary = Summary::new(&config, address);
    let json = config.log_format == LogFormat::Json;
    let gateway = Gateway::open(config, engine.clone()).context("who was revoked cannot be read")?;
    let [stop, stop_now] = start::stop_signals()?;
    reload_on_hangup(gateway.clone())?;
    if json {
        tracing::info!("listening on {}", summary.url());
        for Right { what, who, variable } in summary.rights() {
            tracing::info!(what, who, variable, "who may do what");
        }
    } else {
        println!("{summary}");
    }
    for warning in summary.warnings() {
        tracing::warn!("{warning}");
    }
    tokio::select! {
        () = serve(listener, gateway.clone(), stop) => {}
        () = stop_now => tracing::warn!("asked twice: streams are cut"),
    }
    gateway.leave().await;
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
    let engine = if let Ok(opened) = timeout(Duration::from_secs(1), &mut opening).await {
        opened??
    } else {
        tracing::info!("reading what the data folder has, which takes a moment");
        let engine = opening.await??;
        tracing::info!(took = ?started.elapsed(), "the data folder is open");
        engine
    };
    engine.pace_writes(config.write_pace);
    Ok(engine)
}
