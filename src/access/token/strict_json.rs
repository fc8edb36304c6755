//! Reads the JSON of a token, which a stranger may have written: no member twice, and no deep nesting.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and lists may be nested. Keycloak's `resource_access` needs three levels.
const DEPTH_MAX: u32 = 8;

/// Reads one whole JSON object. `None` where it is not one: not JSON, a member that appears twice (readers disagree on
/// which one counts), or nested deeper than [`DEPTH_MAX`].
pub(super) fn read_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { levels: DEPTH_MAX }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Reads a value that may hold so many levels of objects and lists.
#[derive(Clone, Copy)]
struct Strict {
    levels: u32,
}

impl Strict {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member appears twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_objects_are_read() {
        let nested = |levels: usize| format!("{}{}", "{\"a\":".repeat(levels) + "1", "}".repeat(levels));
        let depth_max = usize::try_from(DEPTH_MAX).unwrap();
        for (text, is_read) in [
            (r#"{"a":1,"b":[true,null,-1,1.5,"\u00fc"],"c":{}}"#, true),
            (&nested(depth_max), true),
            (&nested(depth_max + 1), false),
            (&format!("{{\"a\":{}1{}}}", "[".repeat(depth_max), "]".repeat(depth_max)), false),
            (&"[".repeat(100_000), false),
            (&nested(10_000), false),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":{"b":1,"b":2}}"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            (r#"{"a":1} x"#, false),
            ("[]", false),
            ("1", false),
            ("", false),
            ("{\"a\":NaN}", false),
            ("{\"a\":1e999}", false),
        ] {
            let read = read_object(text.as_bytes());
            assert_eq!(read.is_some(), is_read, "{}", &text[..text.len().min(60)]);
            if let Some(read) = read {
                assert_eq!(Value::Object(read), serde_json::from_str::<Value>(text).unwrap());
            }
        }
        assert!(read_object(b"{\"a\":\"\xff\"}").is_none());
    }

    proptest! {
        /// Whatever the bytes, the reader ends, and what it reads a plain reader reads, too.
        #[test]
        fn what_is_read_is_what_a_plain_reader_reads(text in "[{}\\[\\]\":,a0-9 ]{0,60}") {
            if let Some(read) = read_object(text.as_bytes()) {
                prop_assert_eq!(Value::Object(read), serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
