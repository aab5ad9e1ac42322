//! A disk that is really full. The gateway keeps 128 MiB of it free, because a store that cannot write at all
//! cannot tidy up either.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{Follower, Published, SmallDisk, TestGateway, Told, Traffic, eventually, with_own_mounts};
use logs_shared::{Channel, RecordId, problem::code};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

const MIB: u64 = 1 << 20;
const DISK_MIB: u64 = 200;
const CHANNELS: [&str; 2] = ["logs:etl:workspace123:workflow456", "logs:faas:workspace123"];
/// The gateway looks once a second how full its disk is.
const SOON: Duration = Duration::from_secs(10);

fn channels() -> Result<Vec<Channel>> {
    Ok(CHANNELS
        .iter()
        .map(|channel| channel.parse())
        .collect::<Result<_, _>>()?)
}

async fn start_on(disk: &SmallDisk) -> Result<TestGateway> {
    let data = data_on(disk.dir())?;
    TestGateway::start_with(&[("DATA_DIR", &data)]).await
}

fn data_on(disk: &Path) -> Result<String> {
    let data = disk.join("data").into_os_string().into_string();
    data.ok().context("a path that is text")
}

/// Waits until publishers were told something.
async fn told(traffic: &Traffic, what: &str, is_it: impl Fn(&Told) -> bool) -> Result<Told> {
    eventually(what, SOON, async || Ok(Some(traffic.told()).filter(&is_it)))
        .await
        .with_context(|| format!("what they were told last: {:?}", refusals(&traffic.told())))
}

/// Waits until publishers have published more.
async fn goes_on(traffic: &Traffic) -> Result<()> {
    let before = traffic.told().acknowledged.len();
    let more = |told: &Told| told.acknowledged.len() > before + 50;
    told(traffic, "publishing goes on", more).await?;
    Ok(())
}

fn refusals(told: &Told) -> String {
    format!(
        "{} acknowledged, refused: {:?}, {} not answered",
        told.acknowledged.len(),
        told.refused,
        told.unanswered
    )
}

#[test]
fn with_little_room_left_nothing_is_taken_and_all_else_goes_on() -> Result<()> {
    const TEST: &str = "full_disk::with_little_room_left_nothing_is_taken_and_all_else_goes_on";
    with_own_mounts(TEST, async || {
        let dir = TempDir::new()?;
        let disk = SmallDisk::mount(dir.path(), DISK_MIB)?;
        let mut gateway = start_on(&disk).await?;
        let both = CHANNELS.join(",");
        let follower = Follower::start(gateway.stream_url_after(&both, RecordId::ZERO)?);
        let traffic = Traffic::start(&gateway.publisher(), &channels()?, 100);
        goes_on(&traffic).await?;

        disk.fill(100 * MIB)?;
        told(&traffic, "a refusal", |told| !told.refused.is_empty()).await?;
        let full = traffic.told();
        assert_eq!(full.refused.keys().collect::<Vec<_>>(), [code::STORAGE_FULL]);
        let refused = gateway
            .publisher()
            .publish(&channels()?[0], &json!("m"), "mine")
            .await;
        let Published::Refused(problem) = refused else {
            anyhow::bail!("{refused:?} on a full disk");
        };
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (507, code::STORAGE_FULL),
            "{problem:?}"
        );
        let reason = gateway.trouble().await?.context("it says that it is well")?;
        ensure!(reason.contains("the disk is full"), "{reason}");
        full.ensure_kept(&gateway.streamed(&both).await?)?;
        full.ensure_kept(&gateway.history(&both).await?)?;
        assert_eq!((follower.streams(), follower.gaps().len()), (1, 0));

        // Also where it is started on a full disk.
        gateway.kill().await?;
        gateway.restart().await?;
        let reason = gateway.trouble().await?.context("it says that it is well")?;
        ensure!(reason.contains("the disk is full"), "{reason}");
        full.ensure_kept(&gateway.streamed(&both).await?)?;

        disk.clear()?;
        goes_on(&traffic).await?;
        assert_eq!(gateway.trouble().await?, None);
        ends_well(gateway, traffic, &follower).await
    })
}

/// Nothing acknowledged is missing or there twice, before and after another restart, and the reader that came back
/// has seen all of it.
async fn ends_well(mut gateway: TestGateway, traffic: Traffic, follower: &Follower) -> Result<()> {
    let both = CHANNELS.join(",");
    let all = traffic.stop().await?;
    println!("{}", refusals(&all));
    let kept = gateway.streamed(&both).await?;
    all.ensure_kept(&kept)?;
    gateway.kill().await?;
    gateway.restart().await?;
    assert!(
        gateway.streamed(&both).await? == kept,
        "a restart changed something"
    );
    assert!(
        gateway.history(&both).await? == kept,
        "history has something else"
    );
    let has_all = async || Ok((follower.records().len() >= kept.len()).then_some(()));
    eventually("the reader has all", SOON, has_all).await?;
    assert!(follower.records() == kept, "the reader saw something else");
    assert_eq!(follower.gaps(), Vec::<String>::new());
    Ok(())
}

#[test]
fn when_the_last_byte_is_taken_under_publishers_nothing_acknowledged_is_lost() -> Result<()> {
    const TEST: &str = "full_disk::when_the_last_byte_is_taken_under_publishers_nothing_acknowledged_is_lost";
    with_own_mounts(TEST, async || {
        let dir = TempDir::new()?;
        let disk = SmallDisk::mount(dir.path(), DISK_MIB)?;
        let mut gateway = start_on(&disk).await?;
        let both = CHANNELS.join(",");
        let follower = Follower::start(gateway.stream_url_after(&both, RecordId::ZERO)?);
        // Large records, so that the room that files have left of their last page does not last until the next look.
        let traffic = Traffic::start(&gateway.publisher(), &channels()?, 20_000);
        for round in 1..=4 {
            goes_on(&traffic)
                .await
                .with_context(|| format!("round {round}"))?;
            assert_eq!(gateway.trouble().await?, None);
            let before = traffic.told().refused;
            disk.fill(0)?;
            told(&traffic, "a refusal", |told| told.refused != before).await?;
            // Long enough for what the store does beside: it finds no room either.
            sleep(Duration::from_millis(2_500)).await;
            assert_eq!(disk.free()?, 0);
            let (full, reason) = (traffic.told(), gateway.trouble().await?);
            println!("round {round}: {}; {reason:?}", refusals(&full));
            ensure!(reason.is_some(), "it says that it is well");
            let codes = [code::STORAGE_FULL, code::STORAGE_FAILED];
            ensure!(full.refused.keys().all(|code| codes.contains(&&**code)));
            full.ensure_kept(&gateway.streamed(&both).await?)?;
            full.ensure_kept(&gateway.history(&both).await?)?;
            if round % 2 == 0 {
                gateway.kill().await?;
                gateway.restart().await.context("on a full disk")?;
                full.ensure_kept(&gateway.streamed(&both).await?)?;
            }
            disk.clear()?;
        }
        goes_on(&traffic).await?;
        ends_well(gateway, traffic, &follower).await
    })
}
