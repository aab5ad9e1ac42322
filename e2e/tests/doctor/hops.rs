//! Several hops: the one at fault is named.

use anyhow::{Context, Result};
use logs_e2e::{ProxyKind, SignOn, TestProxy};

use crate::scene::{doctor, gateway, nginx};

const HELD: &str = "proxy_http_version 1.0; proxy_ignore_headers X-Accel-Buffering;";

#[tokio::test]
async fn of_two_hops_the_one_that_holds_back_is_named() -> Result<()> {
    let gateway = gateway(&[]).await?;
    let (held, plain) = (HELD, "");
    for (outer, inner, at_fault) in [(held, plain, 0), (plain, held, 1)] {
        let inner = nginx(&gateway.url(""), inner, "").await?;
        let outer = nginx(&inner.url(""), outer, "").await?;
        let arguments = [
            &*outer.url(""),
            "--via",
            &inner.url(""),
            "--via",
            &gateway.url(""),
        ];
        let said = doctor(&gateway, &arguments).await?;
        said.names_only(at_fault, "delivery", "held back", "proxy_buffering off;")?;
        let named = [&outer, &inner][at_fault].url(" (nginx): the stream is held back");
        assert!(
            said.report.verdict[0].starts_with(&named),
            "{:?}",
            said.report.verdict
        );
        let passed_on = said.finding(0, "delivery")?.from_behind;
        assert_eq!(passed_on, at_fault == 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_is_down_behind_a_proxy_is_named_and_not_the_proxy() -> Result<()> {
    let mut gateway = gateway(&[]).await?;
    let nginx = nginx(&gateway.url(""), "", "").await?;
    gateway.kill().await?;
    let said = doctor(&gateway, &[&nginx.url(""), "--via", &gateway.url("")]).await?;
    said.names_only(1, "reach", "refused", "nothing listens there")?;
    let alone = doctor(&gateway, &[&nginx.url("")]).await?;
    alone.names_only(0, "stream", "502 by nginx", "does not reach what is behind it")
}

/// What the examples in `examples/` and the binary's own proxy are held to.
#[tokio::test]
async fn the_proxies_that_are_handed_out_are_well() -> Result<()> {
    let settings = [("AUTH", "proxy"), ("PROXY_TOKEN", TestProxy::TOKEN)];
    let gateway = gateway(&settings).await?;
    let sign_on = SignOn::start().await?;
    let (name, cookie) = SignOn::ALICE;
    let cookie = format!("{name}: {cookie}");
    let token = format!("X-Proxy-Token: {}", TestProxy::TOKEN);
    for kind in [ProxyKind::Binary, ProxyKind::Nginx] {
        let proxy = TestProxy::start(kind, &gateway, &sign_on).await?;
        let stream = proxy.route("stream");
        // From the page's side alone, as the page asks.
        let asked = format!("{stream}?workspace_id=workspace123&workflow_id=workflow456");
        let said = doctor(&gateway, &[&asked, "--header", &cookie]).await?;
        said.is_well();
        // And with records of one's own, published at the gateway.
        let arguments = [
            &*stream,
            "--via",
            &gateway.url(""),
            "--channel",
            "logs:etl:workspace123:doctor",
            "--publish-token",
            "e2e-token",
            "--header",
            &cookie,
            "--header",
            &token,
            "--header",
            "X-User-Id: alice",
            "--header",
            "X-Workspace-Id: workspace123",
        ];
        let said = doctor(&gateway, &arguments).await?;
        said.is_well();
        let resumed = &said.finding(0, "resume")?.seen;
        assert!(resumed.contains("3 records"), "{}", said.text);

        // Who is not signed in is no fault of the proxy's.
        let said = doctor(&gateway, &[&asked]).await?;
        assert_eq!(
            (said.faults(), said.code),
            (vec![(0, "stream", "blocked")], 2),
            "{}",
            said.text
        );
        let blocked = said.finding(0, "stream")?;
        assert!(
            blocked.seen.contains("401") && blocked.change.contains("--header 'Cookie: …'"),
            "{blocked:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_takes_the_authorization_out_is_named() -> Result<()> {
    let settings = [
        ("AUTH", "jwt"),
        ("JWT_SECRET", "a secret of more than thirty-two bytes"),
    ];
    let gateway = gateway(&settings).await?;
    let mut token = gateway.command(&["token", "--secret", settings[1].1, "--workspace", "*"]);
    let token = String::from_utf8(token.output().await?.stdout)?;
    let token = token.trim();
    doctor(&gateway, &[&gateway.url(""), "--token", token])
        .await?
        .is_well();
    let nginx = nginx(&gateway.url(""), "proxy_set_header Authorization \"\";", "").await?;
    let said = doctor(&gateway, &[&nginx.url(""), "--token", token]).await?;
    said.names_only(
        0,
        "token",
        "with Authorization: Bearer the answer is 401 missing_token",
        "Authorization",
    )?;
    assert!(!said.text.contains(token), "the token is told");

    let said = doctor(&gateway, &[&gateway.url("/?token=wr0ng-one")]).await?;
    assert_eq!(
        (said.faults(), said.code),
        (vec![(0, "stream", "blocked")], 2),
        "{}",
        said.text
    );
    let blocked = said.finding(0, "stream").context("no stream")?;
    assert!(
        blocked.seen.contains("401 invalid_token") && blocked.change.contains("--token"),
        "{blocked:?}"
    );
    assert!(!said.text.contains("wr0ng"), "{}", said.text);
    Ok(())
}
