//! [`Machine`]: where it was measured, and with what.

use std::{env, fs, path::Path, process::Command};

/// Where it was measured, and with what: figures of two machines say nothing of each other.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// The processor's name.
    processor: String,
    /// How many cores there are.
    cores: usize,
    /// The operating system's kernel.
    kernel: String,
    /// What ran, each with its version.
    versions: Vec<String>,
}

impl Machine {
    /// This one. What cannot be told is left out.
    pub(super) fn here() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let versions = [gateway(), nginx(), nchan(), node(), express()];
        Self {
            processor: processor(&processors).unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: format!("Linux {}", version(kernel.trim())),
            versions: versions.into_iter().flatten().collect(),
        }
    }

    /// All of it in some words.
    pub(super) fn told(&self) -> String {
        let Self {
            processor,
            cores,
            kernel,
            ..
        } = self;
        let cores = match cores {
            1 => "1 core".to_owned(),
            cores => format!("{cores} cores"),
        };
        let place = format!("{processor}, {cores}, {kernel}");
        let told: Vec<&str> = std::iter::once(place.as_str())
            .chain(self.versions.iter().map(String::as_str))
            .collect();
        told.join("; ")
    }
}

/// The kernel's version without what whoever built it calls it.
fn version(release: &str) -> &str {
    release.split('-').next().unwrap_or(release)
}

/// The first one's name, where the system tells it.
fn processor(told: &str) -> Option<&str> {
    let mut lines = told.lines();
    let name = lines.find(|line| line.starts_with("model name"))?;
    Some(name.split_once(':')?.1.trim())
}

fn gateway() -> Option<String> {
    let version = said(Command::new(env::var_os("LOGS_GATEWAY_BIN")?).arg("--version"))?;
    let commit = said(Command::new("git").args(["rev-parse", "--short=10", "HEAD"]));
    let changed = said(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"])).is_some();
    let commit = commit.map(|commit| format!(" ({commit}{})", if changed { ", changed" } else { "" }));
    Some(version + &commit.unwrap_or_default())
}

fn nginx() -> Option<String> {
    // It tells so where others tell what is wrong.
    let output = Command::new(crate::targets::nginx()).arg("-v").output().ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    Some(format!("nginx {}", text.trim().rsplit_once('/')?.1))
}

fn nchan() -> Option<String> {
    let version = said(Command::new("dpkg-query").args([
        "--show",
        "--showformat",
        "${Version}",
        "libnginx-mod-nchan",
    ]))?;
    Some(format!("nchan {version}"))
}

fn node() -> Option<String> {
    let version = said(Command::new("node").arg("--version"))?;
    Some(format!("Node.js {}", version.trim_start_matches('v')))
}

fn express() -> Option<String> {
    let folder = env::var_os("LOGS_BENCH_EXPRESS")?;
    let manifest = Path::new(&folder).join("node_modules/express/package.json");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(manifest).ok()?).ok()?;
    Some(format!("Express {}", manifest.get("version")?.as_str()?))
}

/// What a program says, where it says anything.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processors_name_is_what_the_system_tells() {
        let told = "processor\t: 0\nmodel name\t: A Processor 9000\nprocessor\t: 1\nmodel name\t: A Processor 9000\n";
        assert_eq!(processor(told), Some("A Processor 9000"));
        assert_eq!(processor("processor\t: 0\n"), None);
    }
}
