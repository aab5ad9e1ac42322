//! `logs-bench`: see `cargo xtask bench -- --help`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand, ValueEnum as _};
use logs_bench::floor::{self, Mode};
use logs_bench::targets::Target;
use logs_bench::{load, report, run, scenarios};

/// Measures the gateway beside what people would use instead.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures.
    Run {
        /// Only these scenarios, by their names or what these begin with.
        #[arg(long)]
        scenario: Vec<String>,
        /// Only these targets.
        #[arg(long)]
        target: Vec<Target>,
        /// Where the highest rate is looked for: only this one, in records a second.
        #[arg(long)]
        rate: Option<f64>,
        /// Shorter, to see whether all works.
        #[arg(long)]
        quick: bool,
        /// The file for the results.
        #[arg(long, default_value = "target/bench/results.json")]
        out: PathBuf,
    },
    /// Tells what came out, as Markdown.
    Report {
        /// The file with the results.
        #[arg(long, default_value = "target/bench/results.json")]
        results: PathBuf,
        /// The folder of documents: it is also written into PERFORMANCE.md there, and drawn beside that.
        #[arg(long)]
        into: Option<PathBuf>,
    },
    /// Says what can be measured, and of whom.
    List,
    /// Is the load generator: reads what to do from its input, as JSON.
    Load,
    /// Is the floor: a bare loop that writes the same bytes to the same sockets.
    Floor {
        /// How it writes.
        #[arg(long)]
        mode: Mode,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Run {
            scenario,
            target,
            rate,
            quick,
            out,
        } => {
            let mut chosen = scenarios::all(quick);
            chosen
                .retain(|one| scenario.is_empty() || scenario.iter().any(|name| one.name.starts_with(name)));
            ensure!(
                !chosen.is_empty(),
                "there is no such scenario: see `logs-bench list`"
            );
            let targets = if target.is_empty() {
                Target::value_variants().to_vec()
            } else {
                target
            };
            run::run(&chosen, &targets, rate, &out)
        }
        Command::Report { results, into } => report::report(&results, into.as_deref()),
        Command::List => {
            for scenario in scenarios::all(false) {
                println!("{:14} {:18} {}", scenario.name, scenario.variant, scenario.what);
            }
            let names: Vec<String> = Target::value_variants()
                .iter()
                .map(|target| target.name())
                .collect();
            println!("\ntargets: {}", names.join(", "));
            Ok(())
        }
        Command::Load => load::serve(),
        Command::Floor { mode } => floor::serve(mode),
    }
}
