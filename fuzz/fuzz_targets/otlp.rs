//! A request of OpenTelemetry's: what is taken becomes a record that every reader can take, and is what code that was made
//! from the protocol's schema reads in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::{
    LogRecord, RecordId, Timestamp,
    api::{MAX_RECORD_BYTES, MAX_RECORDS_PER_PUBLICATION},
    otlp::{AttributeNames, Encoding, parse},
    publish::{BodyError, EntryError},
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;

/// The longest sentence a refusal may be, in bytes: what it names of a body is cut.
const LONGEST_SENTENCE: usize = 4_096;

type Parsed = Result<Vec<Result<logs_shared::LogEntry, EntryError>>, BodyError>;

fuzz_target!(|body: &[u8]| {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let parsed = read(body, encoding);
        look_at(&parsed);
        if encoding == Encoding::Protobuf {
            is_what_others_read(body, &parsed);
        }
    }
});

fn read(body: &[u8], encoding: Encoding) -> Parsed {
    let names = AttributeNames {
        service: vec!["s".to_owned(), "service.name".to_owned()],
        workspace: vec!["w".to_owned(), "workspace.id".to_owned()],
        resource: vec!["r".to_owned(), "workflow.id".to_owned()],
        // What names none is to be looked at too.
        default_workspace: Some("default".to_owned()),
    };
    parse(body, encoding, &names, Timestamp::from_unix_ms(1_758_796_200_000).unwrap())
}

fn look_at(parsed: &Parsed) {
    let entries = match parsed {
        Ok(entries) => entries,
        Err(error) => return assert!(error.to_string().len() <= LONGEST_SENTENCE, "{error}"),
    };
    assert!(entries.len() <= MAX_RECORDS_PER_PUBLICATION);
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry.clone(),
            Err(error) => {
                assert!(error.to_string().len() <= LONGEST_SENTENCE, "{error}");
                continue;
            }
        };
        assert!(entry.encode().max_len() <= MAX_RECORD_BYTES);
        let id = RecordId::new(u64::MAX, u64::MAX);
        let record = LogRecord { id, entry };
        let json = record.to_json();
        assert!(!json.contains(['\n', '\r']), "{json}");
        assert_eq!(serde_json::from_str::<LogRecord>(&json).unwrap(), record);
        // As a browser reads it, all of it.
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
    }
}

fn is_what_others_read(body: &[u8], parsed: &Parsed) {
    let Ok(request) = ExportLogsServiceRequest::decode(body) else {
        return;
    };
    match parsed {
        Ok(entries) => {
            let scopes = request.resource_logs.iter().flat_map(|of| &of.scope_logs);
            let count: usize = scopes.map(|scope| scope.log_records.len()).sum();
            assert_eq!(entries.len(), count);
            assert_eq!(&read(&request.encode_to_vec(), Encoding::Protobuf), parsed);
        }
        // Groups are passed over by others, and what nests as deep as this by some.
        Err(error) => {
            let told = error.to_string();
            assert!(told.contains("group") || told.contains("nest deeper"), "{told}");
        }
    }
}
