use super::*;
use crate::cluster::Balancer;

const WITHIN: Duration = Duration::from_secs(30);

async fn loaded(settings: &[(&str, &str)], kill: bool) -> Result<LoadReport> {
    let settings = [&[("HEARTBEAT_MS", "200")], settings].concat();
    let mut gateway = TestGateway::start_with(&settings).await?;
    let balancer = Balancer::haproxy(&[gateway.url("")], None).await?;
    let mut load = Load::new("w", 6)?;
    load.read_all_ways(25, |_| vec![gateway.url(""), balancer.url("")]);
    load.has_begun().await?;
    for publisher in 0..2 {
        let url = if publisher == 0 {
            gateway.url("")
        } else {
            balancer.url("")
        };
        load.publish(&[url], 300, Duration::from_millis(5));
    }
    load.goes_on(100, WITHIN).await?;
    if kill {
        gateway.kill().await?;
        gateway.restart().await?;
    }
    load.finish(&[gateway], WITHIN).await
}

#[tokio::test]
async fn where_all_is_kept_nothing_is_wrong() -> Result<()> {
    let report = loaded(&[], true).await?;
    println!("{report}");
    assert_eq!(report.counts.records, 600);
    report.ensure_faultless()
}

#[tokio::test]
async fn what_a_gateway_forgets_is_told() -> Result<()> {
    let report = loaded(&[("STORE", "memory")], true).await?;
    let error = report.ensure_faultless().unwrap_err().to_string();
    assert!(
        error.contains("history of gateway 0") && error.contains("never came"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn what_does_not_come_is_told_when_the_time_is_up() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut load = Load::new("w", 1)?;
    load.publish(&["http://127.0.0.1:9".to_owned()], 1, Duration::ZERO);
    let error = load.finish(&[gateway], Duration::from_millis(300)).await.err();
    let error = format!("{:#}", error.unwrap());
    assert!(error.contains("publisher 0 has no answer"), "{error}");
    Ok(())
}
