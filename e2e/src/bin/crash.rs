//! The crash test at length: `cargo xtask crash`.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use logs_e2e::CrashTest;

/// Kills the gateway again and again while it is written and read, and counts the acknowledged records that are
/// lost, duplicated or out of order. Fails unless there are none.
#[derive(Parser)]
#[command(bin_name = "cargo xtask crash --")]
struct Args {
    /// How often the gateway is killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// When it is killed and what is published, as an earlier run printed it [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// How many publish at once
    #[arg(long, default_value_t = 4)]
    publishers: u16,
    /// To how many channels
    #[arg(long, default_value_t = 4)]
    channels: u16,
    /// The gateway's DURABILITY: process, or fsync
    #[arg(long)]
    durability: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match crash_test(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn crash_test(args: Args) -> Result<bool> {
    let defaults = CrashTest::default();
    let test = CrashTest {
        kills: args.kills,
        publishers: args.publishers.max(1),
        channels: args.channels.max(1),
        seed: args.seed.unwrap_or(defaults.seed),
        settings: args
            .durability
            .map(|durability| ("DURABILITY".to_owned(), durability))
            .into_iter()
            .collect(),
        deadline: Duration::from_secs(60 + 3 * u64::from(args.kills)),
        ..defaults
    };
    println!("crash test, seed {}", test.seed);
    let report = test
        .run(|kills, counts| {
            if kills % 10 == 0 {
                println!(
                    "{kills} kills: {} records acknowledged in {} publications, {} retries",
                    counts.records, counts.publications, counts.retries
                );
            }
        })
        .await?;
    println!("\n{report}");
    Ok(report.is_faultless())
}
