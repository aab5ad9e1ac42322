//! What the gateway costs and how fast it is: `cargo xtask measure`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use logs_e2e::measure;

/// Measures the gateway, each figure from one run of the real binary on this machine.
#[derive(Parser)]
#[command(bin_name = "cargo xtask measure --")]
struct Args {
    /// What to measure [default: all of them]
    #[arg(value_enum)]
    figures: Vec<Figure>,
    /// How many records a figure is made of; `behind` takes a tenth
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// How often `cluster-kills` kills
    #[arg(long, default_value_t = 30)]
    rounds: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Figure {
    /// The memory a reader costs that reads nothing
    Stalled,
    /// What a thousand who mean no good cost those who read; two and a half minutes, whatever the records
    Strangers,
    /// How soon a reader that comes back has caught up while publishing goes on
    Behind,
    /// How fast the past is read, as a stream and as history
    Replay,
    /// How soon a gateway with 1 KiB a record is ready again, after a crash and after a stop
    Recovery,
    /// What a log call costs its caller in each language, whatever the gateway does; two minutes, whatever the records
    Publishers,
    /// Throughput and latency of one gateway, and of one to three that share Redis; two minutes, whatever the records
    Cluster,
    /// What is lost or repeated while gateways and Redis are killed again and again; two seconds a round
    ClusterKills,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let figures = match args.figures.as_slice() {
        [] => Figure::value_variants(),
        some => some,
    };
    let mut outcome = ExitCode::SUCCESS;
    for &figure in figures {
        if let Err(error) = measure(figure, &args).await {
            eprintln!("error: {figure:?}: {error:#}");
            outcome = ExitCode::FAILURE;
        }
    }
    outcome
}

async fn measure(figure: Figure, args: &Args) -> Result<()> {
    let records = args.records;
    match figure {
        Figure::Stalled => measure::stalled(records).await,
        Figure::Strangers => measure::strangers().await,
        Figure::Behind => measure::behind(records / 10).await,
        Figure::Replay => measure::replay(records).await,
        Figure::Recovery => measure::recovery(records).await,
        Figure::Publishers => measure::publishers().await,
        Figure::Cluster => measure::cluster().await,
        Figure::ClusterKills => measure::cluster_kills(args.rounds).await,
    }
}
