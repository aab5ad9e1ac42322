//! `logs-gateway proxy`.

use clap::Args;

use crate::{
    config::LogFormat,
    proxy::{Proxy as Serving, ProxyConfig, ProxySettings, ProxySummary, serve},
    reload, start,
};

/// A proxy between a page's sign-on and a gateway.
#[derive(Args)]
pub struct Proxy {
    #[command(flatten)]
    settings: ProxySettings,
}

impl Proxy {
    /// Serves until it is asked to stop.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = ProxyConfig::from_settings(&self.settings)?;
        start::tracing(&config.log_filter, config.log_format);
        let listener = start::listen(&config.listen).await?;
        let summary = ProxySummary::new(&config, listener.local_addr()?);
        let [stop, stop_now] = start::stop_signals()?;
        if let Some(tls) = config.tls.clone() {
            reload::on_hangup(move || reload::certificate(&tls))?;
        }
        if config.log_format == LogFormat::Json {
            tracing::info!("listening on {}", summary.url());
        } else {
            println!("{summary}");
        }
        for warning in summary.warnings() {
            tracing::warn!("{warning}");
        }
        tokio::select! {
            () = serve(listener, Serving::new(config.clone()), stop) => {}
            () = stop_now => tracing::warn!("asked twice: streams are cut"),
        }
        tracing::info!("stopped");
        Ok(())
    }
}
