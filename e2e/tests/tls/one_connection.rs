//! [`OneConnection`]: requests that share a connection.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use logs_e2e::TestGateway;
use tokio::{task::AbortHandle, time::timeout};

use crate::{
    PATIENCE,
    authority::{Authority, address},
};

/// One HTTP/2 connection. It ends with this value.
pub(crate) struct OneConnection {
    requests: http2::SendRequest<Empty<Bytes>>,
    authority: String,
    connection: AbortHandle,
}

impl OneConnection {
    pub(crate) async fn open(authority: &Authority, gateway: &TestGateway) -> Result<Self> {
        let socket = authority.connect(gateway, "h2").await?;
        let agreed = socket.get_ref().1.alpn_protocol();
        ensure!(agreed == Some(b"h2"), "{agreed:?}");
        let (requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await?;
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self {
            requests,
            authority: address(gateway)?.to_string(),
            connection: connection.abort_handle(),
        })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Response<Incoming>> {
        let request = Request::get(format!("https://{}{path}", self.authority)).body(Empty::new())?;
        self.requests.ready().await?;
        Ok(timeout(PATIENCE, self.requests.send_request(request)).await??)
    }
}

impl Drop for OneConnection {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
