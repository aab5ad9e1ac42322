//! [`Running`]: a gateway that a command starts for itself.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::process;

/// Far more than starting and stopping takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const AGAIN: Duration = Duration::from_millis(20);

/// A gateway on a free port of this machine. It ends with this value.
pub(crate) struct Running {
    process: Child,
    url: String,
}

impl Running {
    /// Starts one with nothing of this process's environment but these variables, and with its records, where it keeps
    /// any, and all that it says in `dir`.
    ///
    /// # Errors
    /// It ends, or does not say where it listens; with its words.
    pub(crate) fn start<'a>(
        binary: &Path,
        dir: &Path,
        variables: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let said = dir.join("said");
        let output = fs::File::create(&said).context("cannot write down what it says")?;
        let errors = output.try_clone()?;
        let process = Command::new(binary)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(variables)
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("DATA_DIR", dir.join("data"))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .context("cannot start the gateway")?;
        let url = String::new();
        let mut running = Self { process, url };
        running.url = running.listening(&said)?;
        Ok(running)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// An error where it has ended.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the gateway did not survive it: {status}"),
        }
    }

    /// Ends it as whoever runs it would.
    ///
    /// # Errors
    /// It does not end, or not with success.
    pub(crate) fn stop(mut self) -> Result<()> {
        process::run(Command::new("kill").arg(self.process.id().to_string()))?;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "it did not stop politely: {status}");
                return Ok(());
            }
            thread::sleep(AGAIN);
        }
        bail!("it does not stop")
    }

    fn listening(&mut self, said: &Path) -> Result<String> {
        let started = Instant::now();
        loop {
            // Before what it said is read, so that its last words are among that.
            let ended = self.process.try_wait()?;
            let text = fs::read_to_string(said).context("cannot read what it says")?;
            if let Some(url) = address(&text) {
                return Ok(url.to_owned());
            }
            if let Some(status) = ended {
                bail!("the gateway ended: {status}\n{text}");
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "it does not say where it listens:\n{text}"
            );
            thread::sleep(AGAIN);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone either way.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address that a whole line names, for people or as JSON.
fn address(said: &str) -> Option<&str> {
    let (lines, _) = said.rsplit_once('\n')?;
    let mut words = lines.split(|char: char| char.is_whitespace() || char == '"');
    words.find(|word| word.starts_with("http://127.0.0.1:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_gateway_says() {
        let said = "Logs SSE Gateway 0.1.0\nlistening on http://127.0.0.1:4000 and every other address of this machine\n";
        assert_eq!(address(said), Some("http://127.0.0.1:4000"));
        let said = "{\"message\":\"listening on http://127.0.0.1:4000\"}\n";
        assert_eq!(address(said), Some("http://127.0.0.1:4000"));
        assert_eq!(address("Logs SSE Gateway 0.1.0\n"), None);
        // Half of it.
        assert_eq!(address("listening on http://127.0.0.1:40"), None);
    }
}
