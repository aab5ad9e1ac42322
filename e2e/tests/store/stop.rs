//! A stop while everybody is busy.

use std::time::Duration;

use anyhow::Result;
use logs_e2e::{Follower, TestGateway, Traffic, eventually};
use logs_shared::{Channel, RecordId};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_stop_under_load_loses_nothing_and_repeats_nothing() -> Result<()> {
    const PUBLISHERS: usize = 8;
    const READERS: usize = 10;
    const STOPS: usize = 3;
    let mut gateway = TestGateway::start_with(&[("DRAIN_MS", "1000")]).await?;
    let all = "logs:etl:workspace123:*";
    let channels = (0..PUBLISHERS).map(|number| format!("logs:etl:workspace123:run{number}").parse());
    let channels: Vec<Channel> = channels.collect::<Result<_, _>>()?;
    let url = gateway.stream_url_after(all, RecordId::ZERO)?;
    let readers: Vec<_> = (0..READERS).map(|_| Follower::start(url.clone())).collect();
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);
    for _ in 0..STOPS {
        let before = traffic.told().acknowledged.len();
        eventually("publishing goes on", SOON, async || {
            Ok((traffic.told().acknowledged.len() > before + 500).then_some(()))
        })
        .await?;
        let status = gateway.stop().await?;
        assert!(status.success(), "{status}");
        gateway.restart().await?;
    }
    let told = traffic.stop().await?;
    let kept = gateway.streamed(all).await?;
    println!(
        "{} acknowledged in spite of {STOPS} stops, {:?} refused, {} not answered",
        told.acknowledged.len(),
        told.refused,
        told.unanswered
    );
    told.ensure_kept(&kept)?;
    assert_eq!(
        told.acknowledged.len(),
        kept.len(),
        "each was repeated until it was acknowledged"
    );
    for reader in &readers {
        let has_all = async || Ok((reader.records().len() >= kept.len()).then_some(()));
        eventually("the reader has all", SOON, has_all).await?;
        assert!(reader.records() == kept, "the reader saw something else");
        assert_eq!(reader.gaps(), Vec::<String>::new());
        assert!(reader.streams() > STOPS);
    }
    Ok(())
}
