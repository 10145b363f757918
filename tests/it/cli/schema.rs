//! The schemas of what `--json` prints (`tests/schemas`), and as much of JSON Schema 2020-12 as
//! they use.

use serde_json::Value;
use std::path::Path;

/// Checks one object that the program printed against the schema of its command, or of a refusal.
pub(super) fn check(object: &Value) {
    let name = match (object.get("error"), object["command"].as_str()) {
        (Some(_), _) => "error",
        (None, Some(_)) if object["result"].get("printed").is_some() => "printed",
        (None, Some(command)) => command,
        (None, None) => panic!("neither a result nor an error: {object}"),
    };
    if let Err(reason) = validate(object, &load(&format!("{name}.json")), name) {
        panic!("{reason}, in {object}");
    }
}

fn load(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Says where and why `value` is not what `schema` asks for. A keyword that is not known here is a
/// defect of the schema.
fn validate(value: &Value, schema: &Value, at: &str) -> Result<(), String> {
    let wrong = |expected: String| Err(format!("{at}: expected {expected}, found {value}"));
    for (keyword, rule) in schema.as_object().ok_or_else(|| format!("{at}: {schema} is no schema"))? {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let (file, name) = rule.as_str().and_then(|text| text.split_once("#/$defs/")).expect("a reference");
                let types = load(file);
                validate(value, types["$defs"].get(name).unwrap_or_else(|| panic!("no type {name}")), at)?;
            }
            "type" => {
                let any = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !any.iter().any(|name| is_type(value, name.as_str().expect("a name"))) {
                    return wrong(rule.to_string());
                }
            }
            "const" if value != rule => return wrong(rule.to_string()),
            "enum" if !rule.as_array().expect("a list").contains(value) => return wrong(format!("one of {rule}")),
            "pattern" => {
                let text = value.as_str().unwrap_or_default();
                if value.is_string() && !matches(rule.as_str().expect("a pattern"), text) {
                    return wrong(rule.to_string());
                }
            }
            "anyOf" => {
                let any = rule.as_array().expect("a list");
                if !any.iter().any(|schema| validate(value, schema, at).is_ok()) {
                    return wrong(format!("one of {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().expect("a list").iter().filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        return Err(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().expect("an object") {
                    if let Some(value) = value.get(name) {
                        validate(value, schema, &format!("{at}.{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false), "{at}");
                let known = &schema["properties"];
                if let Some(name) = value.as_object().and_then(|o| o.keys().find(|name| known.get(name).is_none())) {
                    return Err(format!("{at}: {name} is not in the schema"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    validate(item, rule, &format!("{at}[{index}]"))?;
                }
            }
            "const" | "enum" => {}
            other => panic!("{at}: keyword {other} is not known here"),
        }
    }
    Ok(())
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

/// Matches `^..$` out of literal characters and `[a-z0-9]` classes, each once, `{n}` times, or with
/// `+` once or more.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')).expect("an anchored pattern");
    let (mut pattern, mut text) = (pattern.chars().peekable(), text.chars().peekable());
    while let Some(first) = pattern.next() {
        let mut class: Vec<char> = vec![first];
        if first == '[' {
            class = pattern.by_ref().take_while(|c| *c != ']').collect();
        }
        let fits = |c: &char| match class.as_slice() {
            [one] => c == one,
            many => ranges(many).any(|(from, to)| (from..=to).contains(c)),
        };
        let (least, most) = match pattern.peek() {
            Some('+') => {
                pattern.next();
                (1, usize::MAX)
            }
            Some('{') => {
                let count: String = pattern.by_ref().skip(1).take_while(|c| *c != '}').collect();
                let count = count.parse().expect("a number");
                (count, count)
            }
            _ => (1, 1),
        };
        let mut found = 0;
        while found < most && text.next_if(|c| fits(c)).is_some() {
            found += 1;
        }
        if found < least {
            return false;
        }
    }
    text.next().is_none()
}

/// The ranges of a class that is nothing but ranges.
fn ranges(class: &[char]) -> impl Iterator<Item = (char, char)> + '_ {
    class.chunks(3).map(|range| match range {
        [from, '-', to] => (*from, *to),
        other => panic!("{other:?} is no range"),
    })
}

#[test]
fn the_checker_refuses_what_a_schema_forbids() {
    use serde_json::json;
    let schema = json!({
        "type": "object", "required": ["id"], "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "pattern": "^0x[0-9a-f]{4}$" },
            "list": { "type": "array", "items": { "type": ["integer", "null"] } },
            "kind": { "enum": ["a", "b"] },
            "amount": { "anyOf": [{ "type": "null" }, { "type": "string", "pattern": "^[0-9]+$" }] },
        },
    });
    let good = json!({ "id": "0x12af", "list": [1, null], "kind": "a", "amount": "12" });
    validate(&good, &schema, "good").expect("valid");
    for (name, value) in [
        ("id", json!("0x12aF")),
        ("id", json!("0x12a")),
        ("id", json!("0x12aff")),
        ("id", json!(1)),
        ("list", json!([1, "2"])),
        ("list", json!({})),
        ("kind", json!("c")),
        ("amount", json!("")),
        ("amount", json!(12)),
        ("more", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(validate(&bad, &schema, "bad").is_err(), "{bad}");
    }
    assert!(validate(&json!({ "kind": "a" }), &schema, "bad").is_err(), "id is missing");
}
