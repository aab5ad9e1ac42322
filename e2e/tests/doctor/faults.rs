//! nginx in front of a gateway, wrong in one way at a time.

use anyhow::Result;
use logs_e2e::HostPage;
use std::{fs, time::Duration};
use tempfile::TempDir;

use crate::{
    hoarder::Hoarder,
    scene::{PRODUCTION, Said, doctor, gateway, nginx},
};

/// A gateway behind nginx with these directives, asked through it.
async fn through(location: &str, server: &str, arguments: &[&str]) -> Result<Said> {
    let gateway = gateway(&[]).await?;
    let nginx = nginx(&gateway.url(""), location, server).await?;
    let url = nginx.url("");
    doctor(&gateway, &[&[&*url], arguments].concat()).await
}

#[tokio::test]
async fn nginx_that_only_passes_on_is_well() -> Result<()> {
    through("", "", &["--origin", "https://app.example.com"])
        .await?
        .is_well();
    Ok(())
}

/// Over HTTP/1.1 nginx passes on what it has; over HTTP/1.0, which is its default, it gathers.
const HELD: &str = "proxy_http_version 1.0; proxy_ignore_headers X-Accel-Buffering;";

#[tokio::test]
async fn buffering_is_named_with_how_much_is_held_back() -> Result<()> {
    let said = through(HELD, "", &[]).await?;
    said.names_only(0, "delivery", " KiB had been published", "proxy_buffering off;")
}

#[tokio::test]
async fn buffering_is_named_where_nothing_can_be_published() -> Result<()> {
    let gateway = gateway(&PRODUCTION).await?;
    let held = nginx(&gateway.url(""), HELD, "").await?;
    let said = doctor(&gateway, &[&held.url("")]).await?;
    said.names_only(0, "delivery", "not even the head", "proxy_buffering off;")?;
    let well = nginx(&gateway.url(""), "", "").await?;
    doctor(&gateway, &[&well.url("")]).await?.is_well();
    Ok(())
}

#[tokio::test]
async fn events_that_are_held_back_behind_a_head_that_came_are_named() -> Result<()> {
    const HELD: usize = 20 * 1024;
    let published = gateway(&[]).await?;
    let hoarder = Hoarder::start(&published.url(""), HELD, None).await?;
    let said = doctor(&published, &[hoarder.url()]).await?;
    said.names_only(
        0,
        "delivery",
        "arrives together, after 24 KiB",
        "response buffering",
    )?;

    let quiet = gateway(&PRODUCTION).await?;
    let hoarder = Hoarder::start(&quiet.url(""), HELD, None).await?;
    let said = doctor(&quiet, &[hoarder.url()]).await?;
    said.names_only(0, "delivery", "and then nothing for 3 s", "--via")
}

#[tokio::test]
async fn an_end_after_a_fixed_time_is_told_from_one_after_silence() -> Result<()> {
    let gateway = gateway(&[("HEARTBEAT_MS", "1000")]).await?;
    let hoarder = Hoarder::start(&gateway.url(""), 0, Some(Duration::from_millis(2300))).await?;
    let said = doctor(&gateway, &[hoarder.url()]).await?;
    said.names_only(
        0,
        "quiet",
        "cut 2.3 s after it was opened",
        "a limit to a whole answer's time",
    )
}

#[tokio::test]
async fn compression_is_named() -> Result<()> {
    let said = through(
        "gzip on; gzip_types text/event-stream; gzip_min_length 0;",
        "",
        &[],
    )
    .await?;
    said.names_only(0, "compression", "nginx packs the stream (gzip)", "gzip off;")?;
    assert_eq!(said.finding(0, "delivery")?.status, "ok");
    Ok(())
}

#[tokio::test]
async fn a_timeout_below_the_heartbeat_is_named_with_its_length() -> Result<()> {
    let said = through("proxy_read_timeout 1s;", "", &[]).await?;
    said.names_only(
        0,
        "quiet",
        "cut after 1.0 s of silence",
        "proxy_read_timeout 75s;",
    )
}

#[tokio::test]
async fn a_header_of_cors_that_is_taken_out_is_named() -> Result<()> {
    let location = "proxy_hide_header Access-Control-Allow-Origin;";
    let said = through(location, "", &["--origin", "https://app.example.com"]).await?;
    said.names_only(
        0,
        "cors",
        "access-control-allow-origin is missing",
        "ALLOWED_ORIGINS has to have https://app.example.com; nginx",
    )?;
    // Whom nobody asks for, nobody misses.
    through(location, "", &[]).await?.is_well();
    Ok(())
}

#[tokio::test]
async fn a_header_of_cors_that_is_there_twice_is_named() -> Result<()> {
    let location = "add_header Access-Control-Allow-Origin * always;";
    let said = through(location, "", &["--origin", "https://app.example.com"]).await?;
    said.names_only(0, "cors", "2 times", "no `add_header`")
}

#[tokio::test]
async fn a_limit_of_connections_is_named_with_who_has_it() -> Result<()> {
    let said = through("limit_conn one 5;", "", &[]).await?;
    said.names_only(0, "connections", "503 by nginx", "limit_conn")?;
    let own = gateway(&[("MAX_STREAMS_PER_USER", "5")]).await?;
    let said = doctor(&own, &[&own.url("")]).await?;
    said.names_only(
        0,
        "connections",
        "5 of 8 streams at once; the others: 3 × 429 too_many_streams_per_user",
        "MAX_STREAMS_PER_USER",
    )
}

#[tokio::test]
async fn a_method_that_is_not_let_through_is_named() -> Result<()> {
    let said = through("limit_except GET POST { deny all; }", "", &[]).await?;
    said.names_only(0, "patch", "403 by nginx", "limit_except GET PATCH")
}

#[tokio::test]
async fn a_cursor_that_is_taken_out_is_named() -> Result<()> {
    let location = "proxy_set_header Last-Event-ID \"\";";
    let said = through(location, "", &[]).await?;
    said.names_only(0, "resume", "Last-Event-ID does not reach", "Last-Event-ID")?;
    // Also without a record to come back to.
    let gateway = gateway(&PRODUCTION).await?;
    let nginx = nginx(&gateway.url(""), location, "").await?;
    let said = doctor(&gateway, &[&nginx.url("")]).await?;
    said.names_only(0, "resume", "Last-Event-ID does not reach", "Last-Event-ID")
}

#[tokio::test]
async fn a_path_that_is_not_led_to_the_gateway_is_named() -> Result<()> {
    let said = through("", "location /api/ { return 404; }", &[]).await?;
    said.names_only(0, "stream", "404 by nginx", "lead this path")?;
    let page = "location /api/ { default_type text/html; return 200 '<p>the page for every path'; }";
    let said = through("", page, &[]).await?;
    said.names_only(
        0,
        "stream",
        "text/html and not text/event-stream",
        "this is a page",
    )
}

#[tokio::test]
async fn short_buffers_for_addresses_are_named() -> Result<()> {
    let said = through("", "large_client_header_buffers 4 4k;", &[]).await?;
    said.names_only(0, "long_requests", "414 by nginx", "large_client_header_buffers")
}

#[tokio::test]
async fn a_cache_header_that_is_taken_out_is_a_warning() -> Result<()> {
    let said = through("proxy_hide_header Cache-Control;", "", &[]).await?;
    assert_eq!(
        (said.faults(), said.code),
        (vec![(0, "caching", "warn")], 0),
        "{}",
        said.text
    );
    Ok(())
}

#[tokio::test]
async fn a_page_whose_policy_forbids_the_stream_is_named() -> Result<()> {
    let gateway = gateway(&[]).await?;
    let dir = TempDir::new()?;
    let script = gateway.url("/logs-widget.js");
    fs::write(
        dir.path().join("index.html"),
        format!("<!DOCTYPE html><title>A page</title><script type=module src=\"{script}\"></script>"),
    )?;
    let origin = gateway.url("");
    let lets = format!("default-src 'self'; script-src {origin} 'wasm-unsafe-eval'; connect-src {origin}");
    let site = HostPage::start(dir.path(), &lets, None).await?;
    doctor(&gateway, &[&origin, "--page", &site.url("/")])
        .await?
        .is_well();

    let forbids = format!("default-src 'self'; script-src {origin}");
    let site = HostPage::start(dir.path(), &forbids, None).await?;
    let said = doctor(&gateway, &[&origin, "--page", &site.url("/")]).await?;
    let seen = format!("default-src does not have {origin}; script-src does not have 'wasm-unsafe-eval'");
    said.names_only(
        0,
        "csp",
        &seen,
        &format!("connect-src {origin}; script-src 'wasm-unsafe-eval'"),
    )?;
    assert_eq!(
        said.report.verdict,
        ["the page: the page's content policy forbids it."]
    );

    // And where the document says it.
    let meta = "<meta http-equiv=\"Content-Security-Policy\" content=\"connect-src 'self'\"><p>a page";
    fs::write(dir.path().join("index.html"), meta)?;
    let site = HostPage::start(dir.path(), "img-src *", None).await?;
    let said = doctor(&gateway, &[&origin, "--page", &site.url("/")]).await?;
    said.names_only(0, "csp", "connect-src does not have", &origin)
}
