//! [`SignOn`]: who knows the callers of a proxy.

use anyhow::Result;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::host_page::read_head;

/// A sign-on on a free port, as a site has one: told the request's cookie it says who it is. It ends with this value.
///
/// `session=alice` is alice, who may read workspace123 and workspace789; nobody else is known.
pub struct SignOn {
    url: String,
    _server: JoinSet<()>,
}

impl SignOn {
    /// The cookie of the one that is known.
    pub const ALICE: (&str, &str) = ("cookie", "session=alice");

    /// A sign-on of one's own.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/whoami", listener.local_addr()?);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut requests = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                requests.spawn(async move {
                    // Who asks and goes away is no failure of the sign-on.
                    let _ = answer(connection).await;
                });
            }
        });
        Ok(Self { url, _server: server })
    }

    /// Whom a proxy asks.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// One request a connection.
async fn answer(connection: TcpStream) -> Result<()> {
    let mut connection = BufReader::new(connection);
    let head = read_head(&mut connection).await?;
    let (name, cookie) = SignOn::ALICE;
    let is_alice = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(header, value)| header.eq_ignore_ascii_case(name) && value.trim() == cookie);
    let answer = if is_alice {
        "200 OK\r\nx-user-id: alice\r\nx-workspace-id: workspace123,workspace789"
    } else {
        "401 Unauthorized"
    };
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).await?;
    Ok(connection.shutdown().await?)
}
