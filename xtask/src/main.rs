//! `cargo xtask`: set-up, build, run, test and lint of this workspace.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

use crate::{node::Node, page::Page, workspace::Workspace};

mod api;
mod audit;
mod bench;
mod bundles;
mod chromium;
mod counts;
mod debian;
mod deploy;
mod dist;
mod fuzz;
mod gateway;
mod lint;
mod micro;
mod node;
mod npm_package;
mod page;
mod process;
mod python;
mod running;
mod setup;
mod step;
mod test;
mod trial;
mod workspace;

const HELP: &str = "\
cargo xtask <command> [-- arguments]

  setup   add what the build needs and is missing: Rust's wasm32-unknown-unknown target
  build   build the page, and the gateway with the page inside
  run     build, then start the gateway; arguments after -- are the gateway's
  test    native tests, then end-to-end tests in headless Chromium; arguments after -- are cargo test's
  api     hold the gateway against what /openapi.json says of it, by requests that schemathesis thinks of
  crash   kill the gateway again and again and count what is lost; for its arguments: crash -- --help
  measure what the gateway costs and how fast it is, in figures; for its arguments: measure -- --help
  fuzz    what is read from the wire, under random input; arguments after -- are a target and its seconds
  web     bundle the host pages of the end-to-end tests, with the npm package inside, and print where they are
  lint    formatting, clippy for the host and for the browser, and what the dependencies are
  bench   the gateway beside nchan, Express and bare sockets under the same load, into docs/PERFORMANCE.md; a part of that, only
          printed: bench -- --help. With one of these words, something else:
          ui: what a viewer costs in the browser; for its arguments: bench ui -- --help
          counts: instructions of the hottest paths beside the committed ones; -- --accept commits to new ones
          micro: what single steps of a record's way take; arguments after -- are the benchmarks'
  size    build the smallest page, for what it weighs; fails where the widget is larger than was promised
  deploy  hold what is in deploy/ against its schemas and linters, and start the gateway with the settings it has
  dist    the smallest page, the fastest gateway and the npm package, into dist/
";

fn main() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Result<()> {
    let mut args = env::args_os().skip(1).peekable();
    let name = args.next().unwrap_or_else(|| "--help".into());
    let of = args.next_if(|of| name == "bench" && ["ui", "counts", "micro"].iter().any(|word| of == word));
    let rest = passed_on(args)?;
    let name = name.to_str().context("the command is not UTF-8")?;
    let workspace = Workspace::locate()?;

    match (name, rest.is_empty()) {
        ("-h" | "--help" | "help", _) => {
            print!("{HELP}");
            Ok(())
        }
        ("setup", true) => setup::run(&workspace),
        ("build", true) => build(&workspace),
        ("run", _) => run(&workspace, &rest),
        ("test", _) => test::run(&workspace, &rest),
        ("crash" | "measure", _) => trial::run(&workspace, name, &rest),
        ("bench", _) => match of.as_deref().map(OsStr::to_str) {
            None => bench::run(&workspace, &rest),
            Some(Some("ui")) => trial::run(&workspace, "bench_ui", &rest),
            Some(Some("counts")) => counts::run(&workspace, &rest),
            Some(_) => micro::run(&workspace, &rest),
        },
        ("api", true) => api::run(&workspace),
        ("fuzz", _) => fuzz::run(&workspace, &rest),
        ("web", true) => web(&workspace),
        ("lint", true) => lint::run(&workspace),
        ("size", true) => dist::size(&workspace),
        ("deploy", true) => deploy::run(&workspace),
        ("dist", true) => dist::run(&workspace),
        ("setup" | "build" | "api" | "web" | "lint" | "size" | "deploy" | "dist", false) => {
            bail!("`{name}` takes no arguments\n\n{HELP}")
        }
        (unknown, _) => bail!("there is no command `{unknown}`\n\n{HELP}"),
    }
}

/// What stands after `--`.
fn passed_on(mut args: impl Iterator<Item = OsString>) -> Result<Vec<OsString>> {
    match args.next() {
        None => Ok(Vec::new()),
        Some(separator) if separator == "--" => Ok(args.collect()),
        Some(other) => {
            bail!("unexpected argument {other:?}; what is to be passed on stands after `--`\n\n{HELP}")
        }
    }
}

fn build(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, gateway::Profile::Release, &page)?;
    println!("{}", binary.display());
    Ok(())
}

fn web(workspace: &Workspace) -> Result<()> {
    let dir = bundles::build(workspace, &Node::ensure(workspace)?)?;
    println!("{}", dir.display());
    Ok(())
}

fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    setup::run(workspace)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, gateway::Profile::Release, &page)?;
    process::replace(std::process::Command::new(binary).args(args))
}
