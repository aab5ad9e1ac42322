//! What a run of an ETL job says: the script of `logs-gateway simulate`.

use std::time::Duration;

use logs_shared::Level;
use serde_json::{Map, Value, json};

/// One thing that is said.
pub(super) struct Step {
    /// How long after the step before.
    pub(super) after: Duration,
    /// Who says it.
    pub(super) service: &'static str,
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) fields: Map<String, Value>,
}

impl Step {
    /// The step as `logData`.
    pub(super) fn log_data(&self) -> String {
        let mut log_data = self.fields.clone();
        log_data.insert("message".to_owned(), self.message.as_str().into());
        log_data.insert("level".to_owned(), self.level.as_str().into());
        Value::from(log_data).to_string()
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.roll() % (most - least + 1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.between(1, count) == 1
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.roll() % among.len() as u64).unwrap_or(0);
        among[index]
    }
}

const ETL: &str = "etl";
const FAAS: &str = "faas";
const FUNCTION: &str = "function";

/// The services that say something.
pub(super) const SERVICES: [&str; 3] = [ETL, FAAS, FUNCTION];

const TABLES: [&str; 5] = ["orders", "customers", "invoices", "shipments", "returns"];
const FUNCTIONS: [&str; 4] = ["geocode", "currency-convert", "fraud-score", "dedupe"];

const TRACE: &str = "Traceback (most recent call last):
  File \"/srv/functions/handler.py\", line 88, in handle
    result = client.lookup(batch)
  File \"/srv/functions/lookup.py\", line 41, in lookup
    response = self.session.post(self.url, json=batch, timeout=2.0)
  File \"/usr/lib/python3/dist-packages/requests/sessions.py\", line 635, in post
    return self.request(\"POST\", url, data=data, json=json, **kwargs)
requests.exceptions.ReadTimeout: read timed out (read timeout=2.0)";

/// A run's script so far.
struct Script {
    steps: Vec<Step>,
    run_id: String,
    trace_id: String,
}

impl Script {
    fn say(&mut self, after_ms: u64, service: &'static str, level: Level, message: String, fields: Value) {
        let mut all = Map::new();
        all.insert("run_id".to_owned(), self.run_id.as_str().into());
        all.insert("trace_id".to_owned(), self.trace_id.as_str().into());
        if let Value::Object(fields) = fields {
            all.extend(fields);
        }
        self.steps.push(Step {
            after: Duration::from_millis(after_ms),
            service,
            level,
            message,
            fields: all,
        });
    }
}

/// What one run says, from start to end: an ETL job that starts a FaaS workflow that calls a function.
pub(super) fn run(workflow: &str, number: u64, dice: &mut Dice) -> Vec<Step> {
    let (table, function) = (dice.pick(&TABLES), dice.pick(&FUNCTIONS));
    let rows = dice.between(2_000, 60_000);
    let trace_id = format!("{:016x}{:016x}", dice.roll(), dice.roll());
    let mut script = Script {
        steps: Vec::new(),
        run_id: format!("{workflow}-run{number}"),
        trace_id,
    };
    let loaded = extract(&mut script, dice, table, rows);
    script.say(
        dice.between(20, 60),
        ETL,
        Level::Info,
        format!("Starting FaaS workflow enrich-{table}"),
        json!({ "faas_workflow": format!("enrich-{table}"), "rows": loaded }),
    );
    enrich(&mut script, dice, table, function, loaded);
    load(&mut script, dice, table, loaded);
    script.steps
}

fn extract(script: &mut Script, dice: &mut Dice, table: &str, rows: u64) -> u64 {
    let columns = dice.between(9, 32);
    script.say(0, ETL, Level::Info, format!("L5-ETL started for {table}"), json!({
        "source": { "kind": "s3", "bucket": "landing", "prefix": format!("{table}/") }, "trigger": "schedule" }));
    let took = dice.between(60, 200);
    script.say(
        took,
        ETL,
        Level::Info,
        format!("Extracted {rows} rows from {table} in {took} ms"),
        json!({ "rows": rows, "table": table, "duration_ms": took }),
    );
    script.say(
        dice.between(20, 60),
        ETL,
        Level::Debug,
        format!("Schema check passed: {columns} columns, 0 unknown"),
        json!({ "schema": { "columns": columns, "version": 7, "unknown": [] } }),
    );
    let quarantined = if dice.one_in(4) { dice.between(3, 90) } else { 0 };
    if quarantined > 0 {
        script.say(dice.between(10, 40), ETL, Level::Warn,
            format!("{quarantined} rows have no customer_id and go to quarantine"),
            json!({ "quarantine": { "rows": quarantined, "reason": "customer_id is null", "sample": [{ "row": 17, "customer_id": null }] } }));
    }
    let partitions = dice.between(2, 8);
    script.say(
        dice.between(40, 120),
        ETL,
        Level::Info,
        format!(
            "\u{1b}[36mTransform\u{1b}[0m {} rows in \u{1b}[1m{partitions}\u{1b}[0m partitions",
            rows - quarantined
        ),
        json!({ "partitions": partitions }),
    );
    rows - quarantined
}

fn enrich(script: &mut Script, dice: &mut Dice, table: &str, function: &str, rows: u64) {
    let cold = dice.one_in(3);
    script.say(
        dice.between(20, 60),
        FAAS,
        Level::Info,
        format!("Workflow enrich-{table} accepted"),
        json!({ "queue_ms": dice.between(1, 30) }),
    );
    script.say(
        dice.between(20, 60),
        FAAS,
        Level::Info,
        format!("Invoking {function}{}", if cold { " (cold start)" } else { "" }),
        json!({ "function": function, "cold_start": cold, "memory_mb": 256 }),
    );
    let batches = dice.between(2, 6);
    script.say(
        dice.between(30, 90),
        FUNCTION,
        Level::Info,
        format!("{function} received {rows} rows in {batches} batches"),
        json!({ "function": function, "batches": batches }),
    );
    script.say(
        dice.between(20, 60),
        FUNCTION,
        Level::Trace,
        format!("{function} batch 1 of {batches}: cache hit 94%"),
        json!({ "cache": { "hits": rows * 94 / 100, "misses": rows * 6 / 100 } }),
    );
    if dice.one_in(6) {
        script.say(dice.between(60, 140), FUNCTION, Level::Error, format!("{function} failed on batch 2 of {batches}\n{TRACE}"),
            json!({ "function": function, "batch": 2, "error": { "type": "ReadTimeout", "retryable": true } }));
        script.say(
            dice.between(20, 60),
            FAAS,
            Level::Warn,
            format!("Retrying {function}, attempt 2 of 3"),
            json!({ "function": function, "attempt": 2, "backoff_ms": 100 }),
        );
    }
    let took = dice.between(80, 240);
    script.say(
        took,
        FUNCTION,
        Level::Info,
        format!("{function} enriched {rows} rows in {took} ms"),
        json!({ "function": function, "rows": rows, "duration_ms": took }),
    );
    script.say(
        dice.between(10, 40),
        FAAS,
        Level::Info,
        format!("Workflow enrich-{table} completed"),
        json!({ "duration_ms": took + 90, "billed_ms": took + 100 }),
    );
}

fn load(script: &mut Script, dice: &mut Dice, table: &str, rows: u64) {
    let took = dice.between(60, 160);
    if dice.one_in(25) {
        script.say(
            took,
            ETL,
            Level::Fatal,
            format!("Load into warehouse.{table} aborted: lock timeout after {took} ms"),
            json!({ "table": format!("warehouse.{table}"), "sqlstate": "55P03" }),
        );
        return;
    }
    script.say(
        took,
        ETL,
        Level::Info,
        format!("\u{1b}[32m✔\u{1b}[0m Loaded {rows} rows into warehouse.{table}"),
        json!({ "rows": rows, "duration_ms": took }),
    );
    script.say(
        dice.between(10, 40),
        ETL,
        Level::Info,
        "ETL process completed".to_owned(),
        json!({ "rows": rows, "table": table, "status": "succeeded" }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_show_everything_a_page_must_cope_with() {
        let mut dice = Dice(1);
        let steps: Vec<Step> = (0..200).flat_map(|number| run("w", number, &mut dice)).collect();
        for level in Level::ALL {
            assert!(steps.iter().any(|step| step.level == level), "{level}");
        }
        for service in SERVICES {
            assert!(steps.iter().any(|step| step.service == service), "{service}");
        }
        assert!(
            steps.iter().any(|step| step.message.contains("\u{1b}[")),
            "colours"
        );
        assert!(
            steps.iter().any(|step| step.message.lines().count() > 5),
            "a stack trace"
        );
        assert!(
            steps
                .iter()
                .any(|step| step.fields.values().any(Value::is_object)),
            "nested fields"
        );
        let mut dice = Dice(7);
        let longest = (0..200)
            .map(|number| {
                run("w", number, &mut dice)
                    .iter()
                    .map(|step| step.after)
                    .sum::<Duration>()
            })
            .max();
        assert!(
            longest.unwrap() < Duration::from_secs(2),
            "a run fits into its two seconds: {longest:?}"
        );
    }
}
