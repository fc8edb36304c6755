//! Reads JSON and reports what a plain reader passes over: a member that appears twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::member_fault::{FaultList, MemberFault, member_pointer};

/// Reads a whole JSON text. A member that appears twice is a fault; its first value is kept. With more of them than are told
/// the reading ends, and what was read is nothing.
///
/// # Errors
/// When the text is not JSON, as far as it was read.
pub(crate) fn read_json(bytes: &[u8]) -> Result<(Value, FaultList<MemberFault>), serde_json::Error> {
    let mut faults = FaultList::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Reading { place: &Place::Root, faults: &mut faults }.deserialize(&mut reader);
    if faults.is_full() {
        return Ok((Value::Null, faults));
    }
    let value = read?;
    reader.end()?;
    Ok((value, faults))
}

/// A place in the text; its pointer is written only when something is wrong there.
enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, name) => member_pointer(&parent.pointer(), name),
            Self::Item(parent, number) => member_pointer(&parent.pointer(), &number.to_string()),
        }
    }
}

/// Reads the value at a place.
struct Reading<'a> {
    place: &'a Place<'a>,
    faults: &'a mut FaultList<MemberFault>,
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
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

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let place = Place::Item(self.place, list.len());
            match items.next_element_seed(Reading { place: &place, faults: &mut *self.faults })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = Place::Member(self.place, &name);
            let value = members.next_value_seed(Reading { place: &place, faults: &mut *self.faults })?;
            if object.contains_key(&name) {
                self.faults.note(|| MemberFault::at(place.pointer(), "must not appear more than once"));
                if self.faults.is_full() {
                    return Err(Error::custom("too many faults"));
                }
            } else {
                object.insert(name, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::FAULTS_MAX;

    /// What a plain reader reads is read the same; what it would ignore is named.
    #[test]
    fn members_that_appear_twice_are_named() {
        for (text, twice) in [
            (r#"{"a":1,"b":[true,null,-1,1.5,18446744073709551615,"\u00fc"],"c":{}}"#, &[][..]),
            (r#"{"a":1,"a":1}"#, &["/a"]),
            (r#"{"x":[{"a/b":1,"c":2,"a/b":3}],"x":2}"#, &["/x/0/a~1b", "/x"]),
        ] {
            let (value, faults) = read_json(text.as_bytes()).unwrap();
            let pointers: Vec<_> = faults.into_vec().into_iter().map(|fault| fault.pointer).collect();
            assert_eq!(pointers, twice, "{text}");
            if twice.is_empty() {
                assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
            }
        }
    }

    /// Behind the fault that is too many nothing is read any more, not even what is no JSON.
    #[test]
    fn reading_ends_with_the_fault_that_is_too_many() {
        for (twice, is_read_on) in [(FAULTS_MAX, true), (FAULTS_MAX + 1, false)] {
            let text = format!(r#"{{"a":{{{}"":1}}, no JSON"#, r#""":1,"#.repeat(twice));
            match read_json(text.as_bytes()) {
                Err(_) => assert!(is_read_on, "{twice}"),
                Ok((value, faults)) => {
                    assert_eq!((value, faults.into_vec().len()), (Value::Null, FAULTS_MAX + 1));
                    assert!(!is_read_on, "{twice}");
                }
            }
        }
    }

    /// A text that is not JSON is refused with its place, and endless nesting does not end the process.
    #[test]
    fn text_that_is_not_json_is_refused() {
        for text in ["", "{", "{} x", "{'a':1}", "NaN", "[1,]", &"[".repeat(100_000)] {
            let error = read_json(text.as_bytes()).unwrap_err();
            assert!(error.line() >= 1 || text.is_empty(), "{text}");
        }
        assert!(read_json(b"\"\xff\"").is_err());
    }
}
