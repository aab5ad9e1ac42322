//! [`Hoarder`]: a proxy that misbehaves in ways that nginx cannot be made to.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, timeout_at},
};

/// A proxy that passes on the head of an event stream and holds back its body until it has so many bytes, or cuts it after a fixed
/// time. All other answers go through. It ends with this value.
pub(crate) struct Hoarder {
    url: String,
    _server: JoinSet<()>,
}

impl Hoarder {
    pub(crate) async fn start(upstream: &str, held: usize, lifetime: Option<Duration>) -> Result<Self> {
        let upstream = upstream
            .strip_prefix("http://")
            .context("another address")?
            .to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((browser, _)) = listener.accept().await {
                let upstream = upstream.clone();
                connections.spawn(async move {
                    // Who goes away is no failure of the proxy's.
                    let _ = pass_on(browser, &upstream, held, lifetime).await;
                });
            }
        });
        Ok(Self { url, _server: server })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

async fn pass_on(browser: TcpStream, upstream: &str, held: usize, lifetime: Option<Duration>) -> Result<()> {
    let upstream = TcpStream::connect(upstream).await?;
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_gateway, mut to_gateway) = upstream.into_split();
    let mut asking = JoinSet::new();
    asking.spawn(async move {
        let _ = copy(&mut from_browser, &mut to_gateway).await;
    });
    let mut kept: Option<Vec<u8>> = None;
    let mut until = None;
    let mut piece = vec![0; 16 * 1024];
    loop {
        let far = Instant::now() + Duration::from_secs(600);
        let Ok(length) = timeout_at(until.unwrap_or(far), from_gateway.read(&mut piece)).await else {
            return Ok(());
        };
        let came = &piece[..length?];
        if came.is_empty() {
            return Ok(());
        }
        let head = came
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .map(|at| at + 4);
        let is_stream =
            came.starts_with(b"HTTP/1.1 200") && String::from_utf8_lossy(came).contains("text/event-stream");
        match (&mut kept, head) {
            (None, Some(head)) if is_stream => {
                to_browser.write_all(&came[..head]).await?;
                until = lifetime.map(|lifetime| Instant::now() + lifetime);
                kept = Some(came[head..].to_vec());
            }
            (None, _) => to_browser.write_all(came).await?,
            (Some(kept), _) => kept.extend_from_slice(came),
        }
        if let Some(kept) = kept.as_mut().filter(|kept| kept.len() >= held) {
            to_browser.write_all(kept).await?;
            kept.clear();
        }
    }
}
