//! Whether a value is what a schema of the document says: the part of JSON Schema 2020-12 that the document uses.

use regex::Regex;
use serde_json::Value;

/// What is wrong with the value, by its place; nothing where it is right. Stricter than JSON Schema: what an object has
/// besides the properties that are named is wrong too, since then it is not described.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut check = Check {
        document,
        faults: Vec::new(),
    };
    check.value(schema, value, "$");
    check.faults
}

/// What a `$ref` of the document names.
pub(super) fn resolve<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let place = reference
        .strip_prefix('#')
        .expect("a reference within the document");
    document
        .pointer(place)
        .unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

struct Check<'a> {
    document: &'a Value,
    faults: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        let Value::Object(rules) = schema else {
            panic!("{schema} is no schema");
        };
        for (rule, wanted) in rules {
            let is_met = match rule.as_str() {
                "$ref" => {
                    let of = resolve(self.document, wanted.as_str().expect("a reference"));
                    self.value(of, value, at);
                    true
                }
                // The second only narrows what the first describes.
                "allOf" => {
                    self.value(&wanted[0], value, at);
                    wanted[1]["properties"]["code"]["enum"]
                        .as_array()
                        .is_none_or(|codes| codes.contains(&value["code"]))
                }
                "anyOf" | "oneOf" => self.of_several(wanted, value, rule == "oneOf"),
                "type" => is_of(wanted, value),
                "const" => value == wanted,
                "enum" => wanted.as_array().is_some_and(|all| all.contains(value)),
                // Of numbers only (JSON Schema Validation, section 6.2).
                "minimum" => !value.is_number() || value.as_f64() >= wanted.as_f64(),
                "pattern" => {
                    let pattern = Regex::new(wanted.as_str().expect("a pattern")).expect("a pattern");
                    value.as_str().is_some_and(|text| pattern.is_match(text))
                }
                "required" => {
                    let mut names = wanted.as_array().into_iter().flatten();
                    names.all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
                }
                "properties" => {
                    self.properties(wanted, value, at);
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.value(wanted, item, &format!("{at}[{index}]"));
                    }
                    true
                }
                "description" | "examples" | "maximum" | "format" => true,
                other => panic!("nobody has taught this test about {other:?}"),
            };
            if !is_met {
                self.faults
                    .push(format!("{at}: {value} against {rule}: {wanted}"));
            }
        }
    }

    fn of_several(&self, schemas: &Value, value: &Value, only_one: bool) -> bool {
        let schemas = schemas.as_array().expect("schemas").iter();
        let meets = |schema: &&Value| faults(self.document, schema, value).is_empty();
        match schemas.filter(meets).count() {
            0 => false,
            1 => true,
            _ => !only_one,
        }
    }

    fn properties(&mut self, known: &Value, value: &Value, at: &str) {
        for (name, part) in value.as_object().into_iter().flatten() {
            match known.get(name) {
                Some(schema) => self.value(schema, part, &format!("{at}.{name}")),
                None => self.faults.push(format!("{at}.{name} is not described")),
            }
        }
    }
}

fn is_of(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("{other:?} is no type"),
    };
    match kinds {
        Value::String(kind) => is(kind),
        kinds => kinds
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(is),
    }
}
