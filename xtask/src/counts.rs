//! `bench counts`: how many instructions the hottest paths take, beside the figures that are committed.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use self::figures::{Figures, Made};
use crate::{debian::Program, process, step::Step, workspace::Workspace};

mod figures;

/// What counts.
const VALGRIND: Program = Program {
    name: "valgrind",
    path: "/usr/bin/valgrind",
    packages: &["valgrind"],
};
/// What is committed.
const FILE: &str = "server/benches/counts.toml";

/// One of the hottest paths.
struct Path {
    name: &'static str,
    /// How often it is walked, and then twice as often. The difference is without the start.
    times: u64,
    /// By how many percent it may be above its figure.
    tolerance: f64,
}

/// Of one and the same program on a busy and on a quiet machine, `publish` was seen 4 % apart, as its two threads meet in another
/// order; `fan-out` 1 %, `replay` a tenth of that.
const PATHS: [Path; 3] = [
    Path {
        name: "publish",
        times: 1_000,
        tolerance: 5.0,
    },
    Path {
        name: "fan-out",
        times: 20,
        tolerance: 2.0,
    },
    Path {
        name: "replay",
        times: 10,
        tolerance: 1.0,
    },
];
/// How often each is counted. Threads that meet in another order, and an allocator that has other memory at hand, add
/// instructions and take none away: the least is what the path takes.
const RUNS: usize = 3;

/// Counts, compares, and writes down what was counted where `args` ask for it.
///
/// # Errors
/// Also where a path takes more than is committed.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    let accepts = match args {
        [] => false,
        [one] if one == "--accept" => true,
        _ => bail!("`bench counts` takes nothing but `-- --accept`, which writes {FILE}"),
    };
    VALGRIND.ensure(workspace)?;
    let binary = build(workspace, "counts")?;
    let step = Step::start("Counting instructions");
    let mut counted = Figures::new(Made::here(workspace)?);
    for path in &PATHS {
        counted.set(path.name, count(workspace, &binary, path)?);
    }
    step.done();

    let file = workspace.source(FILE);
    let committed = match fs::read_to_string(&file) {
        Ok(text) => Figures::parse(&text).with_context(|| format!("{FILE} cannot be read"))?,
        // Before there are any.
        Err(_) if accepts => Figures::default(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {FILE}")),
    };
    let differences: Vec<_> = PATHS
        .iter()
        .map(|path| Difference::of(path, &counted, &committed))
        .collect();
    println!(
        "{:<8} {:>12} {:>12} {:>10}",
        "path", "counted", "committed", "difference"
    );
    differences.iter().for_each(|difference| println!("{difference}"));
    if accepts {
        fs::write(&file, counted.to_string()).with_context(|| format!("cannot write {FILE}"))?;
        println!("written to {FILE}: commit it with what it is about");
        return Ok(());
    }
    for other in counted.made.others(&committed.made) {
        println!("{other}");
    }
    verdict(workspace, &differences)
}

/// Builds a program of `server/benches`. Compiled as one piece, so that how it is cut has no say in what is inlined.
pub(crate) fn build(workspace: &Workspace, program: &str) -> Result<PathBuf> {
    let step = Step::start("Building what is measured");
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--package", "logs-gateway"])
            .args(["--bin", program, "--features", "measured"])
            .args(
                ["logs-gateway", "logs-shared"]
                    .map(|of| format!("--config=profile.release.package.{of}.codegen-units=1")),
            )
            .env("CARGO_INCREMENTAL", "0"),
    )?;
    step.done();
    Ok(workspace.target("release").join(program))
}

/// How many instructions the path takes once.
fn count(workspace: &Workspace, binary: &std::path::Path, path: &Path) -> Result<u64> {
    let least = |times: u64| -> Result<u64> {
        let counts = (0..RUNS).map(|_| count_all(workspace, binary, path.name, times));
        let least = counts.collect::<Result<Vec<_>>>()?.into_iter().min();
        least.context("nothing was counted")
    };
    let (once, twice) = (least(path.times)?, least(2 * path.times)?);
    Ok(twice.saturating_sub(once) / path.times)
}

/// How many the whole program takes that walks it so many times.
fn count_all(workspace: &Workspace, binary: &std::path::Path, path: &str, times: u64) -> Result<u64> {
    let profile = profile(workspace, path);
    process::output(
        workspace
            // Where threads run in parallel they meet in any order.
            .program("taskset")
            .args(["--cpu-list", &one_cpu()?, VALGRIND.name])
            .args(["--tool=callgrind", "--fair-sched=yes"])
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(binary)
            .args([path, &times.to_string()]),
    )?;
    let profile = fs::read_to_string(&profile).context("callgrind has written nothing")?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    total.context("callgrind tells no total")
}

/// Where callgrind writes what it has seen last of this path.
fn profile(workspace: &Workspace, path: &str) -> PathBuf {
    workspace.target(format!("callgrind.{path}"))
}

/// A processor that this process may use.
fn one_cpu() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status").context("cannot tell which processors there are")?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = allowed.and_then(|allowed| allowed.trim().split(['-', ',']).next());
    Ok(first.unwrap_or("0").to_owned())
}

/// A path's figure, now and as committed.
struct Difference {
    path: &'static Path,
    counted: u64,
    committed: Option<u64>,
}

impl Difference {
    fn of(path: &'static Path, counted: &Figures, committed: &Figures) -> Self {
        Self {
            path,
            counted: counted.get(path.name).unwrap_or_default(),
            committed: committed.get(path.name),
        }
    }

    /// By how many percent more it is now; negative where it is less.
    fn percent(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let ratio = self.counted as f64 / self.committed? as f64;
        Some((ratio - 1.0) * 100.0)
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, counted) = (self.path.name, self.counted);
        match (self.committed, self.percent()) {
            (Some(committed), Some(percent)) => {
                write!(f, "{path:<8} {counted:>12} {committed:>12} {percent:>+9.1}%")
            }
            _ => write!(f, "{path:<8} {counted:>12} {:>12} {:>10}", "none", ""),
        }
    }
}

/// Fails where a path takes more than it may, and says what is to be done where one takes less.
fn verdict(workspace: &Workspace, differences: &[Difference]) -> Result<()> {
    const ACCEPT: &str = "`cargo xtask bench counts -- --accept`";
    let over = |of: &&Difference| of.percent().is_none_or(|percent| percent > of.path.tolerance);
    let under = |of: &&Difference| of.percent().is_some_and(|percent| percent < -of.path.tolerance);
    let names = |of: Vec<&Difference>| {
        of.iter()
            .map(|one| one.path.name)
            .collect::<Vec<_>>()
            .join(" and ")
    };
    let (over, under): (Vec<_>, Vec<_>) = (
        differences.iter().filter(over).collect(),
        differences.iter().filter(under).collect(),
    );
    if let Some(first) = over.first() {
        bail!(
            "more instructions than committed: {}. Where they go: `callgrind_annotate {}`. \
             Where they are worth it, {ACCEPT} writes the new figures into {FILE}, to be committed with the reason",
            names(over.clone()),
            profile(workspace, first.path.name).display(),
        );
    }
    if !under.is_empty() {
        println!(
            "fewer instructions than committed: {}. {ACCEPT} writes the new figures into {FILE}, so that it stays so",
            names(under)
        );
    }
    Ok(())
}
