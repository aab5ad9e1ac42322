//! What is acknowledged stays, whatever happens to the gateway. `cargo xtask crash` is the long form.

use anyhow::Result;
use logs_e2e::CrashTest;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_outlives_kills_complete_once_and_in_order() -> Result<()> {
    let test = CrashTest {
        kills: 12,
        ..CrashTest::default()
    };
    let report = test.run(|_, _| {}).await?;
    println!("{report}");
    assert!(report.is_faultless(), "with seed {}, see above", report.seed);
    Ok(())
}
