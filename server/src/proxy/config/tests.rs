use super::*;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn errors(settings: &ProxySettings) -> Vec<String> {
    ProxyConfig::from_settings(settings)
        .map(|_| Vec::new())
        .unwrap_or_else(|errors| errors.0)
}

#[test]
fn nothing_set_is_development_on_port_3000_in_front_of_a_gateway_on_this_machine() {
    let config = ProxyConfig::from_settings(&ProxySettings::default()).unwrap();
    assert_eq!(config.listen, ("0.0.0.0".to_owned(), 3000));
    assert_eq!(config.upstream.to_string(), "http://localhost:3002");
    assert_eq!(config.prefix, "/api/dapadmin/l5-etl/sse/logs");
    assert_eq!(config.service, "etl");
    assert!(matches!(config.identity, IdentitySource::Header(names) if names.user == "x-user-id"));
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let settings = ProxySettings {
        port: some("70000"),
        node_env: some("staging"),
        upstream: some("http://user:s3cret@gateway:3002"),
        prefix: some("logs/{id}"),
        service: some("e tl"),
        token: some("s3c\nret"),
        identity: some("magic"),
        user_header: some("not a header"),
        workspace_header: some("x-proxy-token"),
        user_id: some("alice"),
        identity_url: some("ftp://s3cret"),
        answer_within: some("0"),
        drain_ms: some("-1"),
        log_level: some("loud"),
        log_format: some("xml"),
        ..ProxySettings::default()
    };
    let errors = errors(&settings);
    for name in [
        "PORT",
        "NODE_ENV",
        "SSE_BACKEND_URL",
        "PROXY_PREFIX",
        "PROXY_SERVICE",
        "PROXY_TOKEN",
        "PROXY_IDENTITY",
        "PROXY_USER_HEADER",
        "PROXY_WORKSPACE_HEADER",
        "PROXY_USER_ID",
        "PROXY_IDENTITY_URL",
        "PROXY_ANSWER_WITHIN",
        "DRAIN_MS",
        "LOG_LEVEL",
        "LOG_FORMAT",
    ] {
        let of_it = errors
            .iter()
            .filter(|error| error.starts_with(&format!("{name}: ")));
        assert_eq!(of_it.count(), 1, "{name} in {errors:#?}");
    }
    assert!(!format!("{errors:?}").contains("s3c"), "{errors:#?}");
}

#[test]
fn production_says_who_is_behind_a_request() {
    let production = |identity: &str, user: &str, workspace: &str, url: &str| ProxySettings {
        node_env: some("production"),
        identity: some(identity),
        user_id: some(user),
        workspace_id: some(workspace),
        identity_url: some(url),
        ..ProxySettings::default()
    };
    let good = [
        ("header", "", "", ""),
        ("fixed", "alice", "w1,w2", ""),
        ("fixed", "alice", "*", ""),
        ("hook", "", "", "https://login.example.com/whoami?of=logs"),
    ];
    for (identity, user, workspace, url) in good {
        let errors = errors(&production(identity, user, workspace, url));
        assert_eq!(errors, Vec::<String>::new(), "{identity}");
    }
    let bad = [
        (("", "", "", ""), "PROXY_IDENTITY: "),
        (("fixed", "", "w", ""), "PROXY_USER_ID: "),
        (("fixed", "alice", "", ""), "PROXY_WORKSPACE_ID: "),
        (("fixed", "alice", "w 1", ""), "PROXY_WORKSPACE_ID: "),
        (("hook", "", "", ""), "PROXY_IDENTITY_URL: "),
        (("hook", "", "", "login.example.com"), "PROXY_IDENTITY_URL: "),
        (("header", "alice", "", ""), "PROXY_USER_ID: "),
    ];
    for ((identity, user, workspace, url), error) in bad {
        let errors = errors(&production(identity, user, workspace, url));
        assert!(
            matches!(&errors[..], [one] if one.starts_with(error)),
            "{identity} {errors:?}"
        );
    }
}

#[test]
fn nothing_that_prints_the_settings_shows_the_token() {
    let settings = ProxySettings {
        token: some("s3cret"),
        ..ProxySettings::default()
    };
    let config = ProxyConfig::from_settings(&settings).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let list = ProxySettings {
        token: some("s3cret,s3cret-too"),
        ..ProxySettings::default()
    };
    let errors = errors(&list);
    assert!(
        matches!(&errors[..], [one] if one.starts_with("PROXY_TOKEN: ") && !one.contains("s3cret")),
        "{errors:?}"
    );
}

#[test]
fn a_prefix_is_a_path() {
    for (text, prefix) in [("/", ""), ("/logs/", "/logs"), ("/a/b-c/~d_.e", "/a/b-c/~d_.e")] {
        assert_eq!(super::prefix(text), Ok(prefix.to_owned()), "{text}");
    }
    for text in ["logs", "/a//b", "/{x}", "/a?b", "/a/../b", "/a b", "/%2e"] {
        assert!(super::prefix(text).is_err(), "{text}");
    }
}
