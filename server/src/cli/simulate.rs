//! `logs-gateway simulate`: a believable ETL run, again and again.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use logs_shared::{Channel, Level};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    Target,
    client::{GatewayClient, Settled},
    publish::append_log_data,
    story::{self, Dice, Step},
};
use crate::{quantity, random};

/// Publish a believable ETL run again and again: a job that starts a FaaS workflow that calls a
/// function, with warnings, errors, stack traces, colours and nested fields now and then.
#[derive(Args, Clone)]
pub struct Simulate {
    #[command(flatten)]
    target: Target,
    /// How often a run starts, for each workflow
    #[arg(long, default_value = "2s", value_parser = quantity::parse_age)]
    every: Duration,
    /// Only what this service says: etl, faas or function; may be repeated
    #[arg(long = "service", value_name = "SERVICE", value_parser = story::SERVICES)]
    services: Vec<String>,
    /// The workspace
    #[arg(long, default_value = "workspace123")]
    workspace: String,
    /// The workflows that run at the same time
    #[arg(
        long = "workflows",
        value_delimiter = ',',
        default_value = "workflow456,workflow789",
        value_name = "LIST"
    )]
    workflows: Vec<String>,
    /// Stop after so many runs of each workflow
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
}

impl Simulate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = GatewayClient::new(&self.target)?;
        if self.every.is_zero() {
            bail!("--every must be longer than nothing");
        }
        let mut workflows = tokio::task::JoinSet::new();
        eprintln!(
            "publishing a run every {:?} for {} in {} to {}; stop with Ctrl-C",
            self.every,
            self.workflows.join(" and "),
            self.workspace,
            client.url(),
        );
        for (place, workflow) in self.workflows.iter().enumerate() {
            // Shifted, as real schedules are, so that lines of several workflows come mixed.
            let shift = self.every * u32::try_from(place).unwrap_or(0)
                / u32::try_from(self.workflows.len()).unwrap_or(1);
            workflows.spawn(self.clone().run_workflow(client.clone(), workflow.clone(), shift));
        }
        while let Some(ended) = workflows.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn run_workflow(
        self,
        client: GatewayClient,
        workflow: String,
        shift: Duration,
    ) -> anyhow::Result<()> {
        sleep(shift).await;
        let mut dice = Dice(getrandom::u64()?);
        let mut starts = interval(self.every);
        starts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number = 0;
        while self.runs.is_none_or(|runs| number < runs) {
            starts.tick().await;
            number += 1;
            let steps = story::run(&workflow, number, &mut dice);
            let worst = steps.iter().map(|step| step.level).max().unwrap_or_default();
            let count = steps.len();
            // A run that is given less time than it takes goes faster; none overlaps the next.
            let length: Duration = steps.iter().map(|step| step.after).sum();
            let haste = (self.every.as_secs_f64() / length.as_secs_f64().max(0.001)).min(1.0) * 0.9;
            for step in steps {
                sleep(step.after.mul_f64(haste)).await;
                if self.services.is_empty() || self.services.iter().any(|service| service == step.service) {
                    self.publish(&client, &workflow, &step).await?;
                }
            }
            let remark = if worst >= Level::Warn {
                format!(", worst {worst}")
            } else {
                String::new()
            };
            eprintln!("{workflow} run {number}: {count} records{remark}");
        }
        Ok(())
    }

    async fn publish(&self, client: &GatewayClient, workflow: &str, step: &Step) -> anyhow::Result<()> {
        let channel = Channel::new(step.service, &self.workspace, Some(workflow))
            .context("--workspace or --workflows")?;
        let mut ndjson = String::new();
        append_log_data(&mut ndjson, &channel, &step.log_data());
        match client.publish(&channel, ndjson.into(), &random::hex()).await {
            Settled::Stored(_) => Ok(()),
            Settled::Refused(problem) => bail!("{}: {} ({})", client.url(), problem.detail, problem.code),
        }
    }
}
