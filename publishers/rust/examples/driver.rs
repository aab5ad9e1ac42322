//! What the tests of all publishers drive this one with: a plan on standard input, what came of it on standard output.
//! `publishers/README.md` says how both look.

use std::{
    fs::File,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use logs_publisher::{LogData, Publisher};
use serde_json::{Value, json};
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut plan = String::new();
    io::stdin().read_to_string(&mut plan)?;
    let plan: Value = serde_json::from_str(&plan)?;
    let problems = Arc::<Mutex<Vec<String>>>::default();
    let publisher = publisher(&plan["options"], problems.clone());
    let mut driver = Driver {
        publisher: publisher.clone(),
        calls: 0,
        flushed: None,
        times: Times::default(),
        peer_times: Times::default(),
    };
    for step in plan["steps"].as_array().ok_or("no steps")? {
        driver.take(step)?;
    }
    let stats = publisher.stats();
    let dropped: serde_json::Map<_, _> = stats
        .dropped
        .by_reason()
        .map(|(reason, count)| (reason.to_owned(), Value::from(count)))
        .collect();
    let [times, peer] = [&driver.times, &driver.peer_times];
    println!(
        "{}",
        json!({
            "queued": stats.queued, "sent": stats.sent, "dropped": dropped, "flushed": driver.flushed, "calls": driver.calls,
            "p50_ns": times.at(50), "p99_ns": times.at(99), "max_ns": times.at(100),
            "peer_p50_ns": peer.at(50), "peer_p99_ns": peer.at(99), "peer_max_ns": peer.at(100),
            "problems": *problems.lock().unwrap_or_else(PoisonError::into_inner),
        })
    );
    Ok(())
}

fn publisher(options: &Value, problems: Arc<Mutex<Vec<String>>>) -> Publisher {
    let mut builder = Publisher::builder().on_problem(move |problem| {
        problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(problem.to_owned());
    });
    let text = |name: &str| options[name].as_str();
    let number = |name: &str| options[name].as_u64();
    if let Some(url) = text("url") {
        builder = builder.url(url);
    }
    if let Some(token) = text("token") {
        builder = builder.token(token);
    }
    if let Some(service) = text("service") {
        builder = builder.service(service);
    }
    if let Some(workspace_id) = text("workspace_id") {
        builder = builder.workspace_id(workspace_id);
    }
    if let Some(workflow_id) = text("workflow_id") {
        builder = builder.workflow_id(workflow_id);
    }
    if let Some(records) = number("max_records") {
        builder = builder.max_records(usize::try_from(records).unwrap_or(usize::MAX));
    }
    if let Some(bytes) = number("max_bytes") {
        builder = builder.max_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(linger) = number("linger_ms") {
        builder = builder.linger(Duration::from_millis(linger));
    }
    if let Some(timeout) = number("timeout_ms") {
        builder = builder.timeout(Duration::from_millis(timeout));
    }
    if let Some(timeout) = number("close_ms") {
        builder = builder.close_timeout(Duration::from_millis(timeout));
    }
    builder.build()
}

/// Takes one step after the other.
struct Driver {
    publisher: Publisher,
    calls: u64,
    flushed: Option<bool>,
    times: Times,
    peer_times: Times,
}

impl Driver {
    fn take(&mut self, step: &Value) -> Result<(), String> {
        let ms = || Duration::from_millis(step["ms"].as_u64().unwrap_or_default());
        match step["do"].as_str() {
            Some("publish") => self.publish(step),
            Some("repeat") => {
                let (message, level) = (text(step, "message"), text(step, "level"));
                self.calls += step["count"].as_u64().unwrap_or_default();
                self.times = repeat(step, |n| {
                    let data = LogData::new(format!("{message} {n}")).field("n", n);
                    self.publisher.publish(data.field("level", level));
                });
            }
            Some("repeat_peer") => {
                let null = File::options()
                    .write(true)
                    .open("/dev/null")
                    .map_err(|error| error.to_string())?;
                self.peer_times = repeat_peer(step, null);
            }
            Some("wait") => thread::sleep(ms()),
            Some("flush") => self.flushed = Some(self.publisher.flush(ms())),
            Some("close") => self.flushed = Some(self.publisher.close(ms())),
            other => return Err(format!("no step is called {other:?}")),
        }
        Ok(())
    }

    fn publish(&mut self, step: &Value) {
        let mut publisher = self.publisher.clone();
        if let Some(service) = step["service"].as_str() {
            publisher = publisher.with_service(service);
        }
        if let Some(workspace_id) = step["workspace_id"].as_str() {
            publisher = publisher.with_workspace_id(workspace_id);
        }
        if let Some(workflow_id) = step["workflow_id"].as_str() {
            publisher = publisher.with_workflow_id(workflow_id);
        }
        publisher.publish(step["logData"].clone());
        self.calls += 1;
    }
}

fn text<'a>(step: &'a Value, name: &str) -> &'a str {
    step[name].as_str().unwrap_or_default()
}

/// Calls again and again, at the pace that the step says, and measures each call.
fn repeat(step: &Value, call: impl Fn(u64)) -> Times {
    let count = step["count"].as_u64().unwrap_or_default();
    let pause = Duration::from_micros(step["pause_us"].as_u64().unwrap_or_default());
    let mut times = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    let began = Instant::now();
    for n in 0..count {
        let due = pause.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
        let early = due.saturating_sub(began.elapsed());
        if !early.is_zero() {
            thread::sleep(early);
        }
        let before = Instant::now();
        call(n);
        times.push(u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    times.sort_unstable();
    Times(times)
}

/// The same with what programs log with otherwise: the text format of `tracing-subscriber`, to nobody.
fn repeat_peer(step: &Value, null: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> Times {
    let format = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(null);
    let subscriber = tracing_subscriber::registry().with(format);
    let message = text(step, "message");
    tracing::subscriber::with_default(subscriber, || {
        repeat(step, |n| tracing::info!(n, "{message} {n}"))
    })
}

/// How long calls took, the shortest first.
#[derive(Default)]
struct Times(Vec<u64>);

impl Times {
    fn at(&self, percent: usize) -> Option<u64> {
        let last = self.0.len().checked_sub(1)?;
        self.0.get((self.0.len() * percent / 100).min(last)).copied()
    }
}
