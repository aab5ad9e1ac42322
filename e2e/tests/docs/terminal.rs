//! [`Terminal`]: where the snippets of a page are typed, one after the other.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use logs_e2e::eventually;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// How long a snippet may take. Some watch a quiet stream for three heartbeats.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long what goes on may take to print what it should.
const OUTPUT: Duration = Duration::from_secs(30);
/// How long what is asked to end may take.
const STOP: Duration = Duration::from_secs(15);

/// How many of the last lines that were printed are told.
const MOST_LINES: usize = 40;

/// A terminal in an empty folder. What a snippet sets is there for the next one, as variables and folders are for who types.
pub(crate) struct Terminal {
    home: TempDir,
    folder: TempDir,
    path: OsString,
    /// How many programs have been started, for the names of their files.
    started: usize,
}

/// A program that a snippet has started.
pub(crate) struct Program {
    child: Child,
    /// What it prints, on both its outputs.
    printed: PathBuf,
}

impl Terminal {
    /// One whose folder has nothing but the packages in `modules`, and whose `PATH` begins with `logs-gateway` and Python.
    pub(crate) fn open() -> Result<Self> {
        let (home, folder) = (TempDir::new()?, TempDir::new()?);
        symlink(
            Path::new(&variable("LOGS_GATEWAY_BIN")?).canonicalize()?,
            home.path().join("logs-gateway"),
        )?;
        // A terminal shows no progress of what it is told at once.
        fs::write(home.path().join(".curlrc"), "no-progress-meter\n")?;
        let modules = Path::new(&variable("LOGS_WEB_DIR")?).join("../node_modules");
        symlink(modules.canonicalize()?, folder.path().join("node_modules"))?;
        let python = PathBuf::from(variable("LOGS_PYTHON")?);
        let python = python.parent().context("Python has no folder")?;
        let path = path(&[home.path(), python])?;
        Ok(Self {
            home,
            folder,
            path,
            started: 0,
        })
    }

    /// The page's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the page's folder and gives its whole path.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Puts the micro frontend in Leptos there, as wasm-bindgen names what it makes of it.
    pub(crate) fn leptos(&self, folder: &str) -> Result<()> {
        const NAME: &str = "micro_frontend";
        let built = PathBuf::from(variable("LOGS_WEB_DIR")?);
        let folder = self.folder().join(folder);
        fs::create_dir_all(&folder)?;
        for (from, to) in [
            (format!("{NAME}.js"), format!("{NAME}.js")),
            (format!("{NAME}.wasm"), format!("{NAME}_bg.wasm")),
        ] {
            fs::copy(built.join(&from), folder.join(to)).with_context(|| format!("cannot copy {from}"))?;
        }
        Ok(symlink(built.join("snippets"), folder.join("snippets"))?)
    }

    /// Types this, waits until it is done, and gives what it printed.
    ///
    /// # Errors
    /// It fails or does not end; then what it printed is told.
    pub(crate) async fn run(&mut self, script: &str) -> Result<String> {
        let state = self.home.path().join("variables");
        let folder = self.home.path().join("folder");
        let keep = format!(
            "trap 'export -p > {}; pwd > {}' EXIT\n",
            state.display(),
            folder.display()
        );
        let mut program = self.start(&format!("{keep}{script}"))?;
        let Ok(status) = timeout(PATIENCE, program.child.wait()).await else {
            program.signal(Signal::KILL)?;
            bail!("it has not ended within {PATIENCE:?}; {}", program.transcript());
        };
        let status = status?;
        if !status.success() {
            bail!("it ended with {status}; {}", program.transcript());
        }
        Ok(program.printed())
    }

    /// Runs a program with a file of the page's folder, as [`Self::run`] does.
    pub(crate) async fn run_file(&mut self, program: &str, file: &Path) -> Result<String> {
        self.run(&format!("{program} '{}'", file.display())).await
    }

    /// Types this into a terminal of its own, which has what was set so far, and does not wait for its end.
    pub(crate) fn start(&mut self, script: &str) -> Result<Program> {
        self.started += 1;
        let file = |kind: &str| self.home.path().join(format!("{}.{kind}", self.started));
        let (source, printed) = (file("sh"), file("out"));
        // What is set is exported, so that the next one finds it.
        let before = format!(
            "set -ae\n[ ! -f {home}/variables ] || . {home}/variables\n[ ! -f {home}/folder ] || cd \"$(cat {home}/folder)\"\n",
            home = self.home.path().display()
        );
        fs::write(&source, format!("{before}{script}"))?;
        let out = File::create(&printed)?;
        let child = Command::new("bash")
            .arg(&source)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("snippets need bash")?;
        Ok(Program { child, printed })
    }
}

/// Where programs are found: in `first`, then as usual, and where Debian has what not everybody may use.
pub(crate) fn path(first: &[&Path]) -> Result<OsString> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let first = first.iter().map(|folder| folder.to_path_buf());
    let folders = first
        .chain(env::split_paths(&inherited))
        .chain(["/usr/sbin".into()]);
    Ok(env::join_paths(folders)?)
}

/// What `cargo xtask test` tells the tests.
fn variable(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("{name} is not set; `cargo xtask test` sets it"))
}

impl Program {
    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        fs::read(&self.printed).map_or_else(
            |error| error.to_string(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// Waits until what it has printed is `enough`.
    ///
    /// # Errors
    /// It ends before, or prints something else for too long.
    pub(crate) async fn until(&mut self, what: &str, enough: impl Fn(&str) -> bool) -> Result<()> {
        let waited = eventually(what, OUTPUT, async || {
            // Looked at first, so that nothing is printed between the end and the last look.
            let ended = self.child.try_wait()?;
            match (enough(&self.printed()), ended) {
                (true, _) => Ok(Some(())),
                (false, Some(status)) => bail!("it ended with {status} before it printed {what}"),
                (false, None) => Ok(None),
            }
        });
        match waited.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.transcript())),
        }
    }

    /// Sends this to all that it is made of, and waits for its end.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal)?;
        match timeout(STOP, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!(
                "it has not ended within {STOP:?} of {signal:?}; {}",
                self.transcript()
            ),
        }
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().context("it has ended already")?;
        let group = Pid::from_raw(i32::try_from(id)?).context("no process has the id 0")?;
        Ok(kill_process_group(group, signal)?)
    }

    /// What it has printed, for a message.
    pub(crate) fn transcript(&self) -> String {
        match self.printed() {
            nothing if nothing.trim().is_empty() => "it printed nothing".to_owned(),
            printed => {
                let lines: Vec<_> = printed.trim_end().lines().collect();
                let (left_out, told) = lines.split_at(lines.len().saturating_sub(MOST_LINES));
                let note = match left_out.len() {
                    0 => String::new(),
                    count => format!(" ({count} lines before are left out)"),
                };
                format!("it printed{note}:\n{}", told.join("\n"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_set_is_there_for_the_next_snippet() -> Result<()> {
        let mut terminal = Terminal::open()?;
        terminal.run("A='a b'\nmkdir d && cd d\n").await?;
        let printed = terminal.run("echo \"$A\"; basename \"$PWD\" >&2").await?;
        assert_eq!(printed, "a b\nd\n");
        Ok(())
    }

    #[tokio::test]
    async fn what_fails_tells_what_it_printed() -> Result<()> {
        let mut terminal = Terminal::open()?;
        let error = terminal
            .run("echo so far\nfalse\necho not so far")
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "it ended with exit status: 1; it printed:\nso far"
        );
        Ok(())
    }

    #[tokio::test]
    async fn what_goes_on_is_waited_for_and_ended() -> Result<()> {
        let mut terminal = Terminal::open()?;
        let mut program = terminal.start("echo ready; sleep 1000")?;
        program.until("ready", |printed| printed == "ready\n").await?;
        assert!(!program.end(Signal::INT).await?.success());
        let mut program = terminal.start("echo no")?;
        assert!(
            program
                .until("ready", |printed| printed == "ready\n")
                .await
                .is_err()
        );
        Ok(())
    }
}
