//! [`Hop`]: one address at which the stream is asked for.

use anyhow::{Context as _, bail};
use axum::http::Uri;
use logs_shared::api::{
    DEFAULT_URL, HEALTH_PATH, PUBLISH_PATH, STREAM_ALIAS_PATH, STREAM_PATH, TEST_LOGS_PATH,
};

/// One address at which the stream is asked for: a gateway's own, or one below which a proxy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// Scheme, host and port.
    origin: String,
    uri: Uri,
    /// The stream's path.
    stream: String,
    /// What the address asks for, without what doctor sets itself.
    query: Vec<(String, String)>,
    /// The reader's token, where the address has it.
    token: Option<String>,
}

impl Hop {
    /// Reads an address as it stands in a browser, in a page's settings or in a proxy's.
    ///
    /// A path that ends in `stream` is the stream's; any other is the one below which a gateway is.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        // What is wrong is not repeated: it may have a token.
        let shown = text.split(['?', '#']).next().unwrap_or_default();
        let address = text.split('#').next().unwrap_or_default();
        let uri: Uri = address
            .parse()
            .with_context(|| format!("{shown:?} is not an address"))?;
        let authority = uri.authority().map(ToString::to_string);
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), authority) else {
            bail!("{shown:?} is not an address such as {DEFAULT_URL}");
        };
        if authority.contains('@') {
            bail!("an address with a user and a password is none that a browser streams from");
        }
        let origin = format!("{}://{authority}", uri.scheme_str().unwrap_or_default());
        let path = uri.path().trim_end_matches('/');
        let stream = if path.ends_with("/stream") {
            path.to_owned()
        } else {
            format!("{path}{STREAM_PATH}")
        };
        let mut token = None;
        let mut query = Vec::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "token" => token = Some(value.into_owned()),
                "last_event_id" | "since" | "tail" | "level" => {}
                _ => query.push((name.into_owned(), value.into_owned())),
            }
        }
        Ok(Self {
            origin,
            stream,
            query,
            token,
            uri,
        })
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Scheme, host and port as a browser compares them: without the scheme's own port.
    pub(super) fn web_origin(&self) -> String {
        let own = if self.is_tls() { ":443" } else { ":80" };
        let origin = self.origin.to_ascii_lowercase();
        origin.strip_suffix(own).unwrap_or(&origin).to_owned()
    }

    /// Whether it is `https`.
    pub(super) fn is_tls(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The host, without the brackets of an IPv6 address.
    pub(super) fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        let own = if self.is_tls() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(own)
    }

    /// The stream's address, without a query.
    pub(super) fn stream(&self) -> String {
        format!("{}{}", self.origin, self.stream)
    }

    /// What the address asks for.
    pub(super) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The reader's token, where the address has it.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The address of what can change the stream with this id.
    pub(super) fn open_stream(&self, id: &str) -> String {
        let prefix = match self.base() {
            Some(base) => format!("{base}/api/logs"),
            None => self.stream.trim_end_matches("/stream").to_owned(),
        };
        format!("{}{prefix}/streams/{id}", self.origin)
    }

    /// The address of `/health`, which of a proxy's is beside its paths.
    pub(super) fn health(&self) -> String {
        format!("{}{}{HEALTH_PATH}", self.origin, self.base().unwrap_or_default())
    }

    /// Where to publish, with a token and without one.
    pub(super) fn publish(&self, with_token: bool) -> Option<String> {
        let path = if with_token { PUBLISH_PATH } else { TEST_LOGS_PATH };
        Some(format!("{}{}{path}", self.origin, self.base()?))
    }

    /// The path below which all of a gateway is.
    fn base(&self) -> Option<&str> {
        let own = [STREAM_PATH, STREAM_ALIAS_PATH].into_iter();
        let mut bases = own.filter_map(|path| self.stream.strip_suffix(path));
        // A proxy's prefix may end as the older name of the stream does.
        bases.find(|base| base.is_empty() || self.stream.ends_with(STREAM_PATH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(text: &str) -> Hop {
        Hop::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_the_gateways_or_the_streams() {
        for (text, stream) in [
            ("http://localhost:3002", "http://localhost:3002/api/logs/stream"),
            ("http://localhost:3002/", "http://localhost:3002/api/logs/stream"),
            ("https://a.example/logs", "https://a.example/logs/api/logs/stream"),
            (
                "https://a.example/logs/stream?channels=x",
                "https://a.example/logs/stream",
            ),
            (
                "https://a.example/api/dapadmin/l5-etl/sse/logs/stream",
                "https://a.example/api/dapadmin/l5-etl/sse/logs/stream",
            ),
        ] {
            assert_eq!(hop(text).stream(), stream);
        }
    }

    #[test]
    fn the_rest_of_a_gateway_is_beside_its_stream_and_of_a_proxy_what_it_has() {
        let gateway = hop("http://a/x/api/logs/stream");
        assert_eq!(gateway.health(), "http://a/x/health");
        assert_eq!(gateway.open_stream("1"), "http://a/x/api/logs/streams/1");
        assert_eq!(
            gateway.publish(true).as_deref(),
            Some("http://a/x/api/logs/publish")
        );
        let older = hop("http://a/logs/stream");
        assert_eq!(older.open_stream("1"), "http://a/api/logs/streams/1");
        let proxy = hop("http://a/api/dapadmin/l5-etl/sse/logs/stream");
        assert_eq!(
            proxy.open_stream("1"),
            "http://a/api/dapadmin/l5-etl/sse/logs/streams/1"
        );
        assert_eq!(proxy.publish(true), None);
        assert_eq!(proxy.health(), "http://a/health");
    }

    #[test]
    fn a_token_is_taken_out_and_never_told() {
        let with_token = hop("http://a/api/logs/stream?token=s3cret&service=etl&tail=5#token=s3cret");
        assert_eq!(with_token.token(), Some("s3cret"));
        assert_eq!(with_token.query(), [("service".to_owned(), "etl".to_owned())]);
        assert!(!with_token.stream().contains("s3cret"));
        for bad in ["/api?token=s3cret", "ftp://a?token=s3cret", "http://u:s3cret@a/"] {
            let error = format!("{:#}", Hop::parse(bad).unwrap_err());
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn an_origin_has_no_port_that_its_scheme_says() {
        assert_eq!(hop("https://A.example:443/x").web_origin(), "https://a.example");
        assert_eq!(hop("http://[::1]:80").host(), "::1");
        assert_eq!(hop("http://a:8080").web_origin(), "http://a:8080");
    }
}
