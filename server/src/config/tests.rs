use super::*;

fn errors(settings: Settings) -> Vec<String> {
    Config::from_settings(&settings)
        .map(|_| Vec::new())
        .unwrap_or_else(|errors| errors.0)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn nothing_set_is_development_on_port_3002() {
    let config = Config::from_settings(&Settings::default()).unwrap();
    assert_eq!(config.listen, ("0.0.0.0".to_owned(), 3002));
    assert!(!config.production);
    assert_eq!(config.log_format, LogFormat::Text);
    assert_eq!(config.retention.age_ms, 7 * 24 * 3600 * 1000);
}

#[test]
fn an_empty_value_is_an_absent_one() {
    let settings = Settings {
        port: some(""),
        node_env: some(" "),
        service_tokens: some(""),
        ..Settings::default()
    };
    assert_eq!(errors(settings), Vec::<String>::new());
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let settings = Settings {
        port: some("70000"),
        node_env: some("staging"),
        allowed_origins: some("example.com"),
        log_level: some("loud"),
        log_format: some("xml"),
        service_tokens: some("s3cret-without-services"),
        auth: some("magic"),
        store: some("cloud"),
        durability: some("hope"),
        retention_records: some("many"),
        retention_age: some("7 fortnights"),
        retention_bytes: some("lots"),
        heartbeat_ms: some("5"),
        drain_ms: some("-1"),
        write_pace_ms: some("1001"),
        max_streams: some("x"),
        max_streams_per_user: some("x"),
        max_streams_per_address: some("0"),
        stream_rate: some("fast"),
        publish_rate: some("-1"),
        max_channels_per_token: some("all"),
        trusted_proxies: some("everybody"),
        max_connections: some("x"),
        tls_cert: Some("no-such-file".into()),
        max_body_bytes: some("x"),
        ..Settings::default()
    };
    let errors = errors(settings);
    for name in [
        "PORT",
        "NODE_ENV",
        "MAX_STREAMS_PER_ADDRESS",
        "STREAM_RATE",
        "PUBLISH_RATE",
        "MAX_CHANNELS_PER_TOKEN",
        "TRUSTED_PROXIES",
        "ALLOWED_ORIGINS",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "SERVICE_TOKENS",
        "AUTH",
        "STORE",
        "DURABILITY",
        "RETENTION_RECORDS",
        "RETENTION_AGE",
        "RETENTION_BYTES",
        "HEARTBEAT_MS",
        "DRAIN_MS",
        "WRITE_PACE_MS",
        "MAX_STREAMS",
        "MAX_STREAMS_PER_USER",
        "MAX_CONNECTIONS",
        "TLS_CERT and TLS_KEY",
        "MAX_BODY_BYTES",
    ] {
        assert!(
            errors.iter().any(|error| error.starts_with(&format!("{name}: "))),
            "{name}: {errors:#?}"
        );
    }
    assert_eq!(errors.len(), 25, "{errors:#?}");
    assert!(!errors.concat().contains("s3cret"), "{errors:#?}");
}

#[test]
fn a_setting_that_leaves_nothing_is_a_mistake() {
    let settings = Settings {
        log_level: some("info,hyper=debug"),
        retention_records: some("0"),
        retention_bytes: some("1"),
        retention_age: some("0"),
        max_streams: some("0"),
        max_streams_per_user: some("0"),
        max_body_bytes: some("0"),
        ..Settings::default()
    };
    let errors = errors(settings);
    assert_eq!(errors.len(), 6, "{errors:#?}");
    assert!(
        errors.iter().all(|error| error.contains("too little")),
        "{errors:#?}"
    );
}

#[test]
fn records_are_on_disk_unless_memory_is_asked_for() {
    let config = Config::from_settings(&Settings::default()).unwrap();
    let disk = Storage::Disk {
        dir: "./data".into(),
        durability: Durability::Process,
    };
    assert_eq!((config.storage, config.retention.bytes), (disk, 4 << 30));
    let settings = Settings {
        store: some("memory"),
        ..Settings::default()
    };
    let config = Config::from_settings(&settings).unwrap();
    assert_eq!(
        (config.storage, config.retention.bytes),
        (Storage::Memory, 512 << 20)
    );
}

/// Settings for Redis, and what is said of them.
fn redis(change: impl FnOnce(&mut Settings)) -> Vec<String> {
    let mut settings = Settings {
        redis_url: some("redis://:s3cret@redis"),
        ..Settings::default()
    };
    change(&mut settings);
    let errors = errors(settings);
    assert!(!errors.concat().contains("s3cret"), "{errors:#?}");
    errors
}

/// Two logs in two databases of one Redis, for which the same prefix was set, heard each other: readers of one were given the
/// records of the other.
#[test]
fn another_database_is_another_log_also_in_what_is_published() {
    let prefix = |url: &str, prefix: Option<&str>| {
        let settings = Settings {
            redis_url: some(url),
            redis_prefix: prefix.map(str::to_owned),
            ..Settings::default()
        };
        match Config::from_settings(&settings).unwrap().storage {
            Storage::Redis(redis) => redis.prefix,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(prefix("redis://h", None), "logs-gateway:");
    assert_eq!(prefix("redis://h/0", Some("a:")), "a:");
    assert_eq!(prefix("redis://h/2", Some("a:")), "a:2:");
    assert_eq!(prefix("redis-sentinel://h/main/3", None), "logs-gateway:3:");
    assert_eq!(prefix("unix:///run/redis?db=4", None), "logs-gateway:4:");
}

#[test]
fn every_mistake_about_redis_is_told_once() {
    let errors = redis(|settings| {
        settings.redis_url = some("redis://:s3cret@redis:port");
        settings.redis_prefix = some("logs*");
        settings.redis_replicas = some("two");
        settings.store = some("cloud");
        settings.durability = some("hope");
    });
    let names: Vec<_> = errors
        .iter()
        .filter_map(|error| error.split(':').next())
        .collect();
    let told = [
        "STORE",
        "DURABILITY",
        "REDIS_REPLICAS",
        "REDIS_PREFIX",
        "REDIS_URL",
    ];
    assert_eq!(names, told, "{errors:#?}");
}

#[test]
fn redis_keeps_records_by_itself_and_nothing_is_for_it_without_its_url() {
    let beside: [fn(&mut Settings); 3] = [
        |settings| settings.store = some("disk"),
        |settings| settings.durability = some("fsync"),
        |settings| {
            settings.redis_url = some(" ");
            settings.redis_replicas = some("1");
        },
    ];
    for change in beside {
        let errors = redis(change);
        assert!(
            errors.len() == 1 && errors[0].contains("REDIS_URL"),
            "{errors:#?}"
        );
    }
    for prefix in ["a b", "a?", "[a]", "a\\", &"a".repeat(65)] {
        let errors = redis(|settings| settings.redis_prefix = some(prefix));
        assert!(
            errors.len() == 1 && errors[0].starts_with("REDIS_PREFIX: "),
            "{errors:#?}"
        );
    }
}

#[test]
fn records_are_in_the_redis_that_is_named() {
    let config = |prefix| {
        let settings = Settings {
            redis_url: some("rediss://ann:s3cret@redis:7000"),
            redis_prefix: prefix,
            ..Settings::default()
        };
        Config::from_settings(&settings).unwrap()
    };
    let named = config(None);
    assert_eq!(named.retention.bytes, 512 << 20);
    assert!(!format!("{named:?}").contains("s3cret"));
    for (prefix, kept) in [
        (None, "logs-gateway:"),
        (some("staging/logs_1:"), "staging/logs_1:"),
    ] {
        let Storage::Redis(redis) = config(prefix).storage else {
            panic!("{named:?}")
        };
        assert_eq!((redis.prefix.as_str(), redis.replicas), (kept, 0));
    }
}

#[test]
fn a_demo_token_stops_a_production_gateway() {
    let with = |tokens: &str| {
        errors(Settings {
            node_env: some("production"),
            service_tokens: some(tokens),
            ..Settings::default()
        })
    };
    assert_eq!(with("l5-etl-token=etl").len(), 1);
    assert_eq!(with("own-token=etl"), Vec::<String>::new());
}

/// Settings for `AUTH=jwt`, and what is said of them.
fn jwt(change: impl FnOnce(&mut Settings)) -> Vec<String> {
    let mut settings = Settings {
        auth: some("jwt"),
        ..Settings::default()
    };
    change(&mut settings);
    errors(settings)
}

#[test]
fn a_way_to_read_needs_what_it_is_checked_with() {
    assert_eq!(
        jwt(|settings| settings.jwt_secret = some("s3cret")),
        Vec::<String>::new()
    );
    let lacking = [
        jwt(|_| {}),
        jwt(|settings| settings.jwt_secret = some(" ")),
        jwt(|settings| settings.jwt_public_key_file = Some("/nowhere/key.pem".into())),
        jwt(|settings| {
            settings.jwt_secret = some("s3cret");
            settings.jwt_public_key_file = Some("/nowhere/key.pem".into());
        }),
        jwt(|settings| settings.auth = some("proxy")),
        jwt(|settings| {
            settings.auth = some("proxy");
            settings.proxy_token = some(",");
        }),
    ];
    for errors in lacking {
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].contains("JWT_") || errors[0].contains("PROXY_TOKEN"),
            "{errors:?}"
        );
        assert!(!errors[0].contains("s3cret"), "{errors:?}");
    }
}

#[test]
fn what_is_set_and_protects_nothing_is_told() {
    let config = |auth: Option<String>| {
        let settings = Settings {
            auth,
            jwt_secret: some("s3cret"),
            proxy_token: some("s3cret"),
            ..Settings::default()
        };
        Config::from_settings(&settings).unwrap()
    };
    let overlooked = config(None).overlooked;
    assert_eq!(overlooked.len(), 2, "{overlooked:?}");
    assert!(
        overlooked
            .iter()
            .all(|text| text.contains("AUTH is not set") && !text.contains("s3cret"))
    );
    let though_open = config(some("open")).overlooked;
    assert!(though_open.len() == 2 && though_open[0].contains("AUTH is open"));
    assert!(config(some("jwt")).overlooked.is_empty());
    assert!(!format!("{:?}", config(some("proxy"))).contains("s3cret"));
}

#[test]
fn a_secret_that_can_be_guessed_is_told_in_production() {
    let overlooked = |token: &str| {
        let settings = Settings {
            node_env: some("production"),
            admin_token: some(token),
            ..Settings::default()
        };
        Config::from_settings(&settings).unwrap().overlooked
    };
    assert!(
        overlooked("hunter2")
            .iter()
            .any(|text| text.contains("ADMIN_TOKEN") && !text.contains("hunter2"))
    );
    assert!(overlooked("0123456789abcdef").is_empty());
}

#[test]
fn the_attributes_of_opentelemetry_are_lists_of_names() {
    let settings = Settings {
        otlp_service: some("team, service.name"),
        otlp_workspace: some("tenant,"),
        otlp_default_workspace: some("a b"),
        ..Settings::default()
    };
    let told = errors(settings.clone());
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("OTLP_WORKSPACE: ") && told[1].starts_with("OTLP_DEFAULT_WORKSPACE: "));
    let right = Settings {
        otlp_workspace: None,
        otlp_default_workspace: some("shared"),
        ..settings
    };
    let names = Config::from_settings(&right).unwrap().otlp;
    assert_eq!(names.service, ["team", "service.name"]);
    assert_eq!(names.workspace, ["workspace.id", "service.namespace"]);
    assert_eq!(names.default_workspace.as_deref(), Some("shared"));
}
