//! [`Nginx`]: nginx, set up as a test wants it.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::{deadline::eventually, gateway_process::GatewayProcess};

const START: Duration = Duration::from_secs(20);

/// nginx on a free port. It ends with this value.
pub struct Nginx {
    url: String,
    process: GatewayProcess,
    dir: TempDir,
}

impl Nginx {
    /// What stands for the address to listen on, in its configuration.
    pub const ADDRESS: &str = "{address}";

    /// nginx with this in its `http` block.
    ///
    /// # Errors
    /// It is not there, does not take the configuration, or does not listen.
    pub async fn start(http: &str) -> Result<Self> {
        ensure!(http.contains(Self::ADDRESS), "it listens nowhere");
        let dir = TempDir::new()?;
        // It tells nobody where it listens.
        let port = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port();
        let http = http.replace(Self::ADDRESS, &format!("127.0.0.1:{port}"));
        // Around what is tested is what a test needs.
        let config = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{ worker_connections 4096; }}\nhttp {{\n\
             access_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\n\
             uwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n{http}\n}}\n"
        );
        let path = dir.path().join("nginx.conf");
        fs::write(&path, config)?;
        // Where Debian has it, which is not in everybody's PATH.
        let debians = Path::new("/usr/sbin/nginx");
        let program: OsString = if debians.is_file() {
            debians.into()
        } else {
            "nginx".into()
        };
        let args = ["-e", "stderr", "-p"].map(OsString::from).into_iter();
        let args: Vec<OsString> = args
            .chain([dir.path().into(), "-c".into(), path.into()])
            .collect();
        let mut process = GatewayProcess::spawn(&program, &args, dir.path(), &[], port)?;
        let listens = eventually("nginx listens", START, async || {
            if !process.is_starting()? {
                return Ok(None);
            }
            Ok(TcpStream::connect(("127.0.0.1", port)).await.ok())
        });
        listens.await?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
            dir,
        })
    }

    /// The address of a path of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Its address, the program, and the folder that it works in.
    pub(crate) fn into_parts(self) -> (String, GatewayProcess, TempDir) {
        (self.url, self.process, self.dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_answers_as_it_was_set_up() -> Result<()> {
        let nginx = Nginx::start("server { listen {address}; location / { return 418; } }").await?;
        assert_eq!(reqwest::get(nginx.url("/x")).await?.status(), 418);
        Ok(())
    }

    #[tokio::test]
    async fn what_it_does_not_take_is_told() {
        let error = Nginx::start("server { listen {address}; nonsense; }")
            .await
            .err()
            .unwrap();
        assert!(format!("{error:#}").contains("nonsense"), "{error:#}");
    }
}
