//! What a page costs: memory, listeners, work.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Browser;

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What its scripts have allocated, WebAssembly's own memory aside.
    pub heap_bytes: u64,
    /// Listeners to events.
    pub listeners: u64,
    /// Nodes of documents, in the tree or not.
    pub nodes: u64,
}

impl Browser {
    /// What the page holds, after the garbage is collected.
    ///
    /// # Errors
    /// No page has been opened.
    pub async fn counted(&self) -> Result<Counted> {
        self.collect_garbage().await?;
        let metrics = self.metrics().await?;
        // Whole numbers, sent as any number is.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = |name: &str| metric(&metrics, name).map(|value| value as u64);
        Ok(Counted {
            heap_bytes: whole("JSHeapUsedSize")?,
            listeners: whole("JSEventListeners")?,
            nodes: whole("Nodes")?,
        })
    }

    /// How long the page's main thread has worked, ever since it was opened.
    ///
    /// # Errors
    /// No page has been opened.
    pub async fn worked(&self) -> Result<Duration> {
        let seconds = metric(&self.metrics().await?, "TaskDuration")?;
        Ok(Duration::from_secs_f64(seconds))
    }

    /// The bytes that the page's scripts have, after the garbage is collected; not those of WebAssembly's memory.
    ///
    /// # Errors
    /// No page has been opened.
    pub async fn heap(&self) -> Result<u64> {
        Ok(self.counted().await?.heap_bytes)
    }

    async fn collect_garbage(&self) -> Result<()> {
        self.devtools("HeapProfiler.enable", json!({})).await?;
        self.devtools("HeapProfiler.collectGarbage", json!({})).await?;
        Ok(())
    }

    async fn metrics(&self) -> Result<Value> {
        self.devtools("Performance.enable", json!({})).await?;
        self.devtools("Performance.getMetrics", json!({})).await
    }
}

/// A figure among those that the browser keeps of a page.
fn metric(metrics: &Value, name: &str) -> Result<f64> {
    let all = metrics["metrics"].as_array();
    let found = all.and_then(|all| all.iter().find(|metric| metric["name"] == name));
    found
        .and_then(|metric| metric["value"].as_f64())
        .with_context(|| format!("no {name} in {metrics}"))
}
