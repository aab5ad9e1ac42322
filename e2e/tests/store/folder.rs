//! The data folder: whose it is, and what is not touched.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use logs_e2e::TestGateway;
use serde_json::json;
use tempfile::TempDir;

const CHANNEL: &str = "logs:etl:workspace123:workflow456";

/// Everything in a folder, byte for byte.
fn contents(dir: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(contents(&path)?);
        } else {
            files.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(files)
}

/// What a gateway says that does not start in this folder.
async fn refusal(data_dir: &Path) -> Result<String> {
    let data_dir = data_dir.to_str().context("a path that is text")?;
    let started = TestGateway::start_with(&[("DATA_DIR", data_dir)]).await;
    let error = started.err().context("it has started")?;
    let text = format!("{error:#}");
    assert!(
        text.contains("ended with exit status: 1") && !text.contains("panicked"),
        "{text}"
    );
    assert!(text.contains(data_dir), "the folder is not named: {text}");
    Ok(text)
}

#[tokio::test]
async fn a_second_gateway_in_the_same_folder_ends_and_leaves_the_first_alone() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let before = gateway.publish(&CHANNEL.parse()?, json!("before")).await?;
    let said = refusal(&gateway.data_dir()).await?;
    assert!(said.contains("is in use by another gateway"), "{said}");
    let after = gateway.publish(&CHANNEL.parse()?, json!("after")).await?;
    let kept = gateway.streamed(CHANNEL).await?;
    assert_eq!(
        kept.iter().map(|record| record.id).collect::<Vec<_>>(),
        [before, after]
    );
    assert_eq!(gateway.trouble().await?, None);
    Ok(())
}

#[tokio::test]
async fn what_is_no_folder_is_told_and_left_alone() -> Result<()> {
    let dir = TempDir::new()?;
    let file = dir.path().join("data");
    fs::write(&file, "somebody's notes")?;
    refusal(&file).await?;
    refusal(&file.join("within")).await?;
    assert_eq!(fs::read(&file)?, b"somebody's notes");
    Ok(())
}

#[tokio::test]
async fn a_folder_in_a_format_of_tomorrow_is_told_and_left_alone() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let id = gateway.publish(&CHANNEL.parse()?, json!("kept")).await?;
    gateway.stop().await?;
    let data = gateway.data_dir();
    let version = data.join("version");
    let known = fs::read(&version)?;
    let mut unknown = known.clone();
    *unknown.last_mut().context("an empty version")? += 40;
    fs::write(&version, &unknown)?;

    let before = contents(&data)?;
    let said = refusal(&data).await?;
    assert!(said.contains("another version of the gateway"), "{said}");
    assert!(contents(&data)? == before, "something was changed");

    fs::write(&version, &known)?;
    gateway.restart().await?;
    assert_eq!(gateway.streamed(CHANNEL).await?[0].id, id);
    Ok(())
}
