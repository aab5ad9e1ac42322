//! What a viewer costs in the browser: `cargo xtask bench ui`.

use anyhow::Result;
use clap::Parser;
use logs_e2e::measure::{Load, viewer_heads, viewer_scrolled, viewer_under};

/// Measures one viewer in headless Chromium, beside a gateway and a publisher on the same machine.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench ui --")]
struct Args {
    /// How many records are published per second, one run each
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000")]
    rates: Vec<u64>,
    /// For how long
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// How many lines the viewer keeps
    #[arg(long, default_value_t = 10_000)]
    buffer: u64,
    /// Through how many lines it is scrolled
    #[arg(long, default_value_t = 100_000)]
    lines: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Args {
        rates,
        seconds,
        buffer,
        lines,
    } = Args::parse();
    println!("One viewer with {buffer} lines, {seconds} s of records per second:");
    viewer_heads();
    for rate in rates {
        viewer_under(Load {
            rate,
            seconds,
            buffer,
        })
        .await?;
    }
    println!("Scrolling through so many lines:");
    viewer_scrolled(lines).await
}
