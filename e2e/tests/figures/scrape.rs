//! [`Scrape`]: what `/metrics` said once.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use logs_e2e::TestGateway;
use logs_shared::api::METRICS_PATH;
use reqwest::Client;

/// What `/metrics` said once, in the format that everything reads.
pub(crate) struct Scrape {
    pub(crate) text: String,
    rows: BTreeMap<String, f64>,
}

impl Scrape {
    pub(crate) async fn of(gateway: &TestGateway) -> Result<Self> {
        let answer = Client::new().get(gateway.url(METRICS_PATH)).send().await?;
        ensure!(answer.status() == 200, "{}", answer.text().await?);
        Self::parse(answer.text().await?)
    }

    pub(crate) fn parse(text: String) -> Result<Self> {
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        let rows = rows.map(|row| {
            let (name, value) = row.rsplit_once(' ').with_context(|| row.to_owned())?;
            Ok((name.to_owned(), value.parse().with_context(|| row.to_owned())?))
        });
        let rows = rows.collect::<Result<_>>()?;
        Ok(Self { text, rows })
    }

    /// The value of a row, which is called by its name and all its labels.
    pub(crate) fn value(&self, row: &str) -> Result<f64> {
        let value = self.rows.get(row).copied();
        value.with_context(|| format!("no {row} in\n{}", self.text))
    }

    pub(crate) fn is(&self, row: &str, expected: f64) -> Result<()> {
        let value = self.value(row)?;
        ensure!(
            (value - expected).abs() < f64::EPSILON,
            "{row} is {value}, not {expected}"
        );
        Ok(())
    }

    /// Whether there is such a row, whatever its labels.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.rows.keys().any(|row| row.split('{').next() == Some(name))
    }

    /// Each metric and its kind.
    pub(crate) fn kinds(&self) -> BTreeMap<&str, &str> {
        let kinds = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        kinds.filter_map(|line| line.split_once(' ')).collect()
    }
}
