//! [`HostPage`]: the site of somebody who embeds the gateway's lines in a page.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use url::Url;

/// The longest head of a request.
const MOST_HEAD: u64 = 64 * 1024;

/// A site on a free port, and so an origin of its own. It ends with this value.
///
/// It serves the files of a folder, each with the site's content security policy. What is no file it asks a gateway
/// for, where it has been given one: then the gateway is on the site's own origin.
pub struct HostPage {
    url: String,
    _server: JoinSet<()>,
}

/// What the site is made of.
struct Site {
    dir: PathBuf,
    policy: String,
    gateway: Option<String>,
}

impl HostPage {
    /// A site with the files of `dir` and this `Content-Security-Policy`; `gateway` is the address of what answers
    /// for all other paths.
    ///
    /// # Errors
    /// The gateway's address is none, or there is no free port.
    pub async fn start(dir: impl Into<PathBuf>, policy: &str, gateway: Option<&str>) -> Result<Self> {
        let gateway = gateway.map(address).transpose()?;
        let site = Arc::new(Site {
            dir: dir.into(),
            policy: policy.to_owned(),
            gateway,
        });
        // By name: another origin than a gateway's, which tells its address as a number.
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let mut server = JoinSet::new();
        server.spawn(serve(listener, site));
        Ok(Self { url, _server: server })
    }

    /// The address of a path of this site.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.url
    }
}

/// Host and port.
fn address(url: &str) -> Result<String> {
    let url: Url = url.parse().with_context(|| format!("{url} is no address"))?;
    let host = url.host_str().context("the address has no host")?;
    let port = url.port_or_known_default().context("the address has no port")?;
    Ok(format!("{host}:{port}"))
}

async fn serve(listener: TcpListener, site: Arc<Site>) {
    // Ends with this task, and what it serves with it.
    let mut requests = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let site = Arc::clone(&site);
        requests.spawn(async move {
            // A browser that goes away in the middle is no failure of the site.
            let _ = site.answer(connection).await;
        });
        while requests.try_join_next().is_some() {}
    }
}

impl Site {
    /// One request a connection.
    async fn answer(&self, connection: TcpStream) -> Result<()> {
        let mut connection = BufReader::new(connection);
        let head = read_head(&mut connection).await?;
        let target = head.split(' ').nth(1).context("the request names no path")?;
        let path = target.split('?').next().unwrap_or_default();
        if let Some(file) = self.file(path) {
            let body = fs::read(&file)?;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\ncontent-security-policy: {}\r\n\
                 cache-control: no-store\r\nconnection: close\r\n\r\n",
                content_type(&file),
                body.len(),
                self.policy
            );
            connection.write_all(head.as_bytes()).await?;
            connection.write_all(&body).await?;
            return Ok(connection.shutdown().await?);
        }
        let Some(gateway) = &self.gateway else {
            let nothing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            connection.write_all(nothing.as_bytes()).await?;
            return Ok(connection.shutdown().await?);
        };
        let mut upstream = TcpStream::connect(gateway).await?;
        upstream.write_all(only_request(&head).as_bytes()).await?;
        copy_bidirectional(&mut connection, &mut upstream).await?;
        Ok(())
    }

    /// The file at a path, if there is one; `/` is `index.html`.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let path = path.trim_start_matches('/');
        let path = Path::new(if path.is_empty() { "index.html" } else { path });
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let file = self.dir.join(path);
        (is_inside && file.is_file()).then_some(file)
    }
}

/// The request's lines, and the empty one that ends them.
pub(crate) async fn read_head(connection: &mut BufReader<TcpStream>) -> Result<String> {
    let mut head = String::new();
    let mut limited = connection.take(MOST_HEAD);
    loop {
        let length = limited.read_line(&mut head).await?;
        if length == 0 {
            bail!("the request ends in its head");
        }
        if head.ends_with("\r\n\r\n") {
            return Ok(head);
        }
    }
}

/// The same head for a connection with one request, as ours with the browser is.
fn only_request(head: &str) -> String {
    let kept = head
        .lines()
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("connection:"));
    let mut lines: Vec<&str> = kept.collect();
    lines.extend(["connection: close", "", ""]);
    lines.join("\r\n")
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|kind| kind.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    async fn site(gateway: Option<&str>) -> Result<(TempDir, HostPage)> {
        let dir = TempDir::new()?;
        fs::write(dir.path().join("index.html"), "<p>hello")?;
        let site = HostPage::start(dir.path(), "default-src 'self'", gateway).await?;
        Ok((dir, site))
    }

    #[tokio::test]
    async fn a_file_comes_with_the_sites_policy() -> Result<()> {
        let (_dir, site) = site(None).await?;
        for path in ["/", "/index.html?x=1"] {
            let answer = reqwest::get(site.url(path)).await?;
            assert_eq!(answer.headers()["content-security-policy"], "default-src 'self'");
            assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
            assert_eq!(answer.text().await?, "<p>hello");
        }
        Ok(())
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found_and_nothing_outside_is_there() -> Result<()> {
        let (dir, site) = site(None).await?;
        assert_eq!(reqwest::get(site.url("/gone.js")).await?.status(), 404);
        let inside = Site {
            dir: dir.path().join("below"),
            policy: String::new(),
            gateway: None,
        };
        assert_eq!(inside.file("/../index.html"), None);
        Ok(())
    }

    #[tokio::test]
    async fn other_paths_are_the_gateways_bodies_included() -> Result<()> {
        let upstream_dir = TempDir::new()?;
        fs::write(upstream_dir.path().join("api"), "from the gateway")?;
        let upstream = HostPage::start(upstream_dir.path(), "", None).await?;
        let (_dir, site) = site(Some(&upstream.url("/"))).await?;
        let answer = reqwest::Client::new()
            .post(site.url("/api"))
            .body("some body")
            .send()
            .await?;
        assert_eq!(answer.text().await?, "from the gateway");
        assert_eq!(reqwest::get(site.url("/")).await?.text().await?, "<p>hello");
        Ok(())
    }

    #[tokio::test]
    async fn it_ends_with_its_value() -> Result<()> {
        let (_dir, site) = site(None).await?;
        let url = site.url("/");
        assert!(reqwest::get(&url).await.is_ok());
        drop(site);
        tokio::task::yield_now().await;
        assert!(reqwest::get(&url).await.is_err());
        Ok(())
    }
}
