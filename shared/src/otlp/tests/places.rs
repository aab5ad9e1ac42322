//! Where a record belongs.

use super::*;

/// The channel of a record with these attributes in a resource with those, or why there is none; and the fields.
fn place(
    names: &AttributeNames,
    resource: &[(&str, &str)],
    record: &[(&str, &str)],
) -> Result<(String, String), EntryError> {
    let list = |pairs: &[(&str, &str)]| -> Vec<_> {
        let pair = |(name, value): &(&str, &str)| attribute(name, text(value));
        pairs.iter().map(pair).collect()
    };
    let log_record = LogRecord {
        attributes: list(record),
        ..LogRecord::default()
    };
    let body = of_resource(list(resource), vec![log_record]).encode_to_vec();
    let entries = parse(&body, Encoding::Protobuf, names, now()).unwrap();
    let [entry] = <[_; 1]>::try_from(entries).unwrap();
    entry.map(|entry| (entry.channel.to_string(), entry.fields.as_json().to_owned()))
}

fn channel(resource: &[(&str, &str)], record: &[(&str, &str)]) -> String {
    place(&AttributeNames::default(), resource, record).unwrap().0
}

#[test]
fn the_first_name_that_is_said_counts_and_the_record_before_its_resource() {
    let service = ("service.name", "etl");
    let cases: [(&[_], &[_], _); 7] = [
        (&[service, ("workspace.id", "w")], &[], "logs:etl:w"),
        (&[service, ("service.namespace", "n")], &[], "logs:etl:n"),
        (
            &[service, ("service.namespace", "n"), ("workspace.id", "w")],
            &[],
            "logs:etl:w",
        ),
        (
            &[service, ("workspace.id", "w")],
            &[("service.namespace", "n")],
            "logs:etl:w",
        ),
        (
            &[service, ("workspace.id", "w")],
            &[("workspace.id", "v")],
            "logs:etl:v",
        ),
        (
            &[service, ("workspace.id", "w"), ("faas.name", "f")],
            &[("workflow.id", "run")],
            "logs:etl:w:run",
        ),
        (
            &[service, ("workspace.id", ""), ("service.namespace", "n")],
            &[],
            "logs:etl:n",
        ),
    ];
    for (resource, record, expected) in cases {
        assert_eq!(channel(resource, record), expected, "{resource:?} {record:?}");
    }
}

#[test]
fn a_name_that_a_channel_cannot_have_is_made_one_and_kept_as_it_was() {
    let names = AttributeNames::default();
    let resource = [
        ("service.name", "shop/check out"),
        ("workspace.id", "w"),
        ("faas.name", "é*:"),
    ];
    let (channel, fields) = place(&names, &resource, &[]).unwrap();
    assert_eq!(channel, "logs:shop_check_out:w:___");
    let expected = r#"{"resource":{"service.name":"shop/check out","faas.name":"é*:"}}"#;
    assert_eq!(fields, expected);
    let long = "x".repeat(300);
    let (channel, fields) = place(&names, &[("service.name", &long), ("workspace.id", "*")], &[]).unwrap();
    assert_eq!(channel, format!("logs:{}:_", &long[..128]));
    assert!(fields.contains(&long) && fields.contains("\"*\""));
    let record = [("workflow.id", "a b")];
    let (channel, fields) = place(&names, &[("service.name", "s"), ("workspace.id", "w")], &record).unwrap();
    assert_eq!(
        (&*channel, &*fields),
        ("logs:s:w:a_b", r#"{"workflow.id":"a b"}"#)
    );
}

#[test]
fn a_record_that_names_no_service_or_workspace_is_refused_with_what_to_set() {
    let names = AttributeNames::default();
    let error = place(&names, &[("service.name", "etl")], &[]).unwrap_err();
    let expected = "no attribute names its workspace: set workspace.id or service.namespace, or OTLP_DEFAULT_WORKSPACE on the gateway";
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("missing_channels", expected)
    );
    let error = place(&names, &[("workspace.id", "w")], &[]).unwrap_err();
    assert!(error.to_string().contains("service.name"), "{error}");
}

#[test]
fn names_can_be_others_and_a_workspace_can_be_given() {
    let names = AttributeNames {
        service: vec!["team".to_owned(), "service.name".to_owned()],
        workspace: vec!["tenant".to_owned()],
        resource: vec!["job".to_owned()],
        default_workspace: Some("shared".to_owned()),
    };
    let resource = [("service.name", "etl"), ("workspace.id", "w")];
    let (channel, fields) = place(&names, &resource, &[]).unwrap();
    assert_eq!(
        (&*channel, &*fields),
        ("logs:etl:shared", r#"{"resource":{"workspace.id":"w"}}"#)
    );
    let (channel, _) = place(&names, &resource, &[("job", "j"), ("team", "t"), ("tenant", "x")]).unwrap();
    assert_eq!(channel, "logs:t:x:j");
}

#[test]
fn records_of_one_request_can_belong_to_many_channels() {
    let record = |workflow: Option<&str>| LogRecord {
        attributes: workflow
            .map(|id| attribute("workflow.id", text(id)))
            .into_iter()
            .collect(),
        ..LogRecord::default()
    };
    let mut resource = vec![
        attribute("service.name", text("etl")),
        attribute("workspace.id", text("w")),
    ];
    resource.push(attribute("workflow.id", text("of the resource")));
    let request = of_resource(
        resource,
        vec![record(Some("a")), record(None), record(Some("b")), record(None)],
    );
    let entries = parse_protobuf(&request.encode_to_vec()).unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| entry.as_ref().unwrap())
        .map(|entry| (entry.channel.resource_id().unwrap(), entry.fields.as_json()))
        .collect();
    let of_the_resource = r#"{"resource":{"workflow.id":"of the resource"}}"#;
    let expected = ["a", "of_the_resource", "b", "of_the_resource"].map(|id| (id, of_the_resource));
    assert_eq!(told, expected);
}
