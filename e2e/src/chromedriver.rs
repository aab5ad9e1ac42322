//! [`Chromedriver`]: the program through which a browser is told what to do.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

use crate::{deadline::eventually, transcript::Transcript};

const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(5);

/// A chromedriver on a free port. It ends with this value, and the browsers it started end with it.
pub(crate) struct Chromedriver {
    port: u16,
    // Killed when it is dropped, should the orderly end have failed.
    _child: Child,
}

/// How often a port may be somebody else's before that is no accident.
const TRIES: usize = 5;
/// What chromedriver says, and ends with, where the port that it found free for one address family is taken for the other.
const TAKEN: &str = "Address already in use";

impl Chromedriver {
    pub(crate) async fn start() -> Result<Self> {
        for _ in 1..TRIES {
            match Self::start_once().await {
                Err(error) if error.to_string().contains(TAKEN) => {}
                started => return started,
            }
        }
        Self::start_once().await
    }

    async fn start_once() -> Result<Self> {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromedriver; `cargo xtask test` installs it or says how to")?;
        let transcript = Transcript::default();
        transcript.record(&mut child);
        let port = eventually("chromedriver listens", START, async || {
            if let Some(port) = transcript.find(port) {
                return Ok(Some(port));
            }
            match child.try_wait()? {
                Some(status) if transcript.is_complete() => {
                    bail!("chromedriver ended with {status}; {transcript}")
                }
                _ => Ok(None),
            }
        });
        Ok(Self {
            port: port.await?,
            _child: child,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the browsers and the program itself. Killed, it would leave its browsers running.
    fn shut_down(&self) -> std::io::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut connection = TcpStream::connect_timeout(&address, STOP)?;
        connection.set_read_timeout(Some(STOP))?;
        write!(
            connection,
            "GET /shutdown HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )?;
        connection.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            eprintln!("chromedriver was not shut down in order: {error}");
        }
    }
}

/// The port in the line with which chromedriver says where it listens.
fn port(line: &str) -> Option<u16> {
    let (_, from) = line.split_once("started successfully on port ")?;
    from.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_says_it() {
        assert_eq!(
            port("ChromeDriver was started successfully on port 40123."),
            Some(40123)
        );
        assert_eq!(port("Starting ChromeDriver 1.2.3 on port 0"), None);
    }
}
