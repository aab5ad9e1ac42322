//! [`Builder`]: what a publisher is set to.

use std::{env, fmt, sync::Arc, time::Duration};

use crate::{
    Publisher,
    core::Core,
    problem::{OnProblem, Problems},
    publisher::Target,
    queue::Room,
    sender::Sender,
    transport::Transport,
};

/// What a publisher is set to. What is not given comes from the environment, or is the default.
#[derive(Clone)]
#[must_use]
pub struct Builder {
    url: Option<String>,
    token: Option<String>,
    target: Target,
    max_records: usize,
    max_bytes: usize,
    linger: Duration,
    timeout: Duration,
    close_timeout: Duration,
    on_problem: Option<OnProblem>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            url: None,
            token: None,
            target: Target::default(),
            max_records: 10_000,
            max_bytes: 8 * 1024 * 1024,
            linger: Duration::from_millis(100),
            timeout: Duration::from_secs(5),
            close_timeout: Duration::from_secs(5),
            on_problem: None,
        }
    }
}

impl Builder {
    /// Where the gateway is; otherwise `LOGS_GATEWAY_URL`, or `http://localhost:3002`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The service's token; otherwise `LOGS_GATEWAY_TOKEN`, or none. It is in no text that this library makes.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The first part of the channel; otherwise `LOGS_SERVICE`. Records without one are refused by the gateway.
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.target.service = Some(service.into());
        self
    }

    /// The second part of the channel; otherwise `LOGS_WORKSPACE_ID`. Records without one are refused by the gateway.
    pub fn workspace_id(mut self, workspace_id: impl Into<String>) -> Self {
        self.target.workspace_id = Some(workspace_id.into());
        self
    }

    /// The third part of the channel; otherwise `LOGS_WORKFLOW_ID`. Without, it has two: the workspace's own.
    pub fn workflow_id(mut self, workflow_id: impl Into<String>) -> Self {
        self.target.workflow_id = Some(workflow_id.into());
        self
    }

    /// How many records may wait, with what is being sent; 10,000.
    pub fn max_records(mut self, records: usize) -> Self {
        self.max_records = records;
        self
    }

    /// How many bytes of encoded records may wait, with what is being sent; 8 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long a request waits for company; 100 ms.
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// How long a request may take in all; 5 s.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// How long the end waits for what is left to be sent; 5 s.
    pub fn close_timeout(mut self, time: Duration) -> Self {
        self.close_timeout = time;
        self
    }

    /// Is told what is wrong, once a minute at most, on the publisher's thread. Without, it is written to standard error.
    pub fn on_problem(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_problem = Some(Arc::new(tell));
        self
    }

    /// Starts it. What is wrong with the settings is a problem that is told when records are sent.
    #[must_use]
    pub fn build(self) -> Publisher {
        let url = self.url.or_else(|| var("LOGS_GATEWAY_URL"));
        let url = url.unwrap_or_else(|| "http://localhost:3002".to_owned());
        let token = self.token.or_else(|| var("LOGS_GATEWAY_TOKEN"));
        let target = Target {
            service: self.target.service.or_else(|| var("LOGS_SERVICE")),
            workspace_id: self.target.workspace_id.or_else(|| var("LOGS_WORKSPACE_ID")),
            workflow_id: self.target.workflow_id.or_else(|| var("LOGS_WORKFLOW_ID")),
        };
        let room = Room {
            records: self.max_records,
            bytes: self.max_bytes,
        };
        let problems = Problems::new(self.on_problem, token.clone());
        let core = Arc::new(Core::new(room, self.linger, problems));
        let transport = Transport::new(&url, token, self.timeout);
        Sender::start(core.clone(), transport);
        Publisher::new(core, target, self.close_timeout)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("target", &self.target)
            .field("max_records", &self.max_records)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// Nothing is as good as not set.
fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}
