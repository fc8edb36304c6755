use serde_json::json;

use super::*;

fn body(overrides: &Value) -> Value {
    let mut body = json!({
        "bookingId": "BK-1001",
        "organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000",
        "startDateTime": "2026-12-01T09:00:00+01:00",
    });
    for (name, value) in overrides.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn pointers(overrides: &Value) -> Vec<String> {
    match parse(body(overrides)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
    }
}

/// A body with the fewest members gets the documented defaults.
#[test]
fn absent_members_take_their_defaults() {
    let (id, spec) = parse(body(&json!({}))).unwrap();
    assert_eq!(id.unwrap().as_str(), "BK-1001");
    assert_eq!(spec.end_date_time - spec.start_date_time, Duration::from_hours(1));
    assert!(spec.attendees.is_empty() && spec.metadata.is_empty() && spec.subject.is_none());
}

/// Courses of days and rooms of a term or a year are bookings.
#[test]
fn a_booking_may_last_longer_than_a_meeting_may_run() {
    for end in [
        "2026-12-02T15:00:01+01:00",
        "2026-12-03T17:00:00+01:00",
        "2027-03-01T00:00:00Z",
        "2028-01-05T08:00:00Z",
    ] {
        assert_eq!(pointers(&json!({"endDateTime": end})), [""; 0], "{end}");
    }
    let faults = parse(body(&json!({"endDateTime": "2028-01-05T08:00:01Z"}))).unwrap_err();
    assert_eq!(faults[0].detail, "must not be more than 400 days after startDateTime");
}

/// What an earlier version accepted is still read from the store, also where a request that says so is refused now.
#[test]
fn a_stored_booking_outlives_stricter_rules() {
    let (_, spec) = parse(body(&json!({"attendees": [{"upn": "anna@contoso.com"}]}))).unwrap();
    let mut stored = serde_json::to_value(spec).unwrap();
    for upn in
        ["mailto:anna@contoso.com", "anna@contoso.com;bob@contoso.com", "a@b@contoso.com", "a..b@contoso.com"]
    {
        assert_eq!(pointers(&json!({"attendees": [{"upn": upn}]})), ["/attendees/0/upn"], "{upn}");
        stored["attendees"][0]["upn"] = json!(upn);
        let spec: BookingSpec = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(spec.attendees[0].upn.as_str(), upn);
    }
}

/// Times keep Graph's 100 ns and lose what is below.
#[test]
fn times_are_kept_to_100_nanoseconds() {
    let (_, spec) = parse(body(&json!({"startDateTime": "2020-02-06T01:49:21.352494589Z"}))).unwrap();
    assert_eq!(spec.start_date_time.nanosecond(), 352_494_500);
}

/// A number is read by its value, however it is written.
#[test]
fn a_whole_number_may_be_written_with_a_fraction() {
    for (text, expected) in
        [("0", 0), ("-0.0", 0), ("7.0", 7), ("1e3", 1_000), ("2147483647.0", 2_147_483_647)]
    {
        let sequence: Value = serde_json::from_str(text).unwrap();
        let (_, spec) = parse(body(&json!({"sequence": sequence}))).unwrap();
        assert_eq!(spec.sequence.map(Sequence::number), Some(expected), "{text}");
    }
}

/// One wrong member at a time: exactly it is named.
#[test]
fn each_fault_is_named_by_its_pointer() {
    let long = "x".repeat(256);
    let many: Vec<_> = (0..1_001).map(|n| json!({"upn": format!("a{n}@contoso.com")})).collect();
    let pairs: serde_json::Map<_, _> = (0..17).map(|n| (format!("k{n}"), json!("v"))).collect();
    for (overrides, pointer) in [
        (json!({"bookingId": ""}), "/bookingId"),
        (json!({"bookingId": " x"}), "/bookingId"),
        (json!({"bookingId": "ü"}), "/bookingId"),
        (json!({"bookingId": long}), "/bookingId"),
        (json!({"bookingId": 7}), "/bookingId"),
        (json!({"organizer": null}), "/organizer"),
        (json!({"organizer": "anna"}), "/organizer"),
        (json!({"organizer": "a b@contoso.com"}), "/organizer"),
        (json!({"organizer": "mailto:a@contoso.com"}), "/organizer"),
        (json!({"subject": ""}), "/subject"),
        (json!({"subject": long}), "/subject"),
        (json!({"startDateTime": null}), "/startDateTime"),
        (json!({"startDateTime": "2026-12-01T09:00:00"}), "/startDateTime"),
        (json!({"startDateTime": "tomorrow"}), "/startDateTime"),
        (json!({"startDateTime": "9999-12-31T23:59:59-10:00"}), "/startDateTime"),
        (json!({"startDateTime": "0001-01-01T00:00:00+10:00"}), "/startDateTime"),
        (json!({"endDateTime": "2026-12-01T08:59:00+01:00"}), "/endDateTime"),
        (json!({"endDateTime": "2028-01-05T09:00:01+01:00"}), "/endDateTime"),
        (json!({"endDatetime": "2026-12-01T10:00:00+01:00"}), "/endDatetime"),
        (json!({"attendees": {}}), "/attendees"),
        (json!({"attendees": many}), "/attendees"),
        (json!({"attendees": ["a@contoso.com"]}), "/attendees/0"),
        (json!({"attendees": [{}]}), "/attendees/0/upn"),
        (json!({"attendees": [{"upn": "a@b.c"}, {"upn": "d@b.c;e@b.c"}]}), "/attendees/1/upn"),
        (json!({"attendees": [{"upn": "a@b.c", "role": "boss"}]}), "/attendees/0/role"),
        (json!({"attendees": [{"upn": "a@b.c", "userId": "7"}]}), "/attendees/0/userId"),
        (json!({"attendees": [{"upn": "a@b.c"}, {"upn": "A@B.c"}]}), "/attendees/1/upn"),
        (json!({"chatInfo": {}}), "/chatInfo/threadId"),
        (json!({"chatInfo": {"threadId": "x"}}), "/chatInfo/threadId"),
        (json!({"chatInfo": {"threadId": "19:x@thread.tacv2", "a/b": 1}}), "/chatInfo/a~1b"),
        (json!({"settings": []}), "/settings"),
        (json!({"settings": {"lobbyBypassSettings": {"scope": "x"}}}), "/settings/lobbyBypassSettings/scope"),
        (json!({"effectiveSettings": {}}), "/effectiveSettings"),
        (json!({"sequence": -1}), "/sequence"),
        (json!({"sequence": 2_147_483_648_u32}), "/sequence"),
        (json!({"sequence": 0.5}), "/sequence"),
        (json!({"sequence": 2_147_483_648.0}), "/sequence"),
        (json!({"sequence": 1e300}), "/sequence"),
        (json!({"sequence": "1"}), "/sequence"),
        (json!({"dtstamp": "20261123T090000Z"}), "/dtstamp"),
        (json!({"dtstamp": "2026-11-23T09:00:00"}), "/dtstamp"),
        (json!({"dtstamp": 1_764_110_000}), "/dtstamp"),
        (json!({"dtstamp": "1899-12-31T23:59:59Z"}), "/dtstamp"),
        (json!({"metadata": []}), "/metadata"),
        (json!({"metadata": pairs}), "/metadata"),
        (json!({"metadata": {"a": 1}}), "/metadata/a"),
        (json!({"metadata": {"a": "\u{0}"}}), "/metadata/a"),
        (json!({"externalId": "x"}), "/externalId"),
    ] {
        assert_eq!(pointers(&overrides), [pointer], "{overrides}");
    }
}

/// Several wrong members are reported together.
#[test]
fn all_faults_come_at_once() {
    let found = pointers(&json!({
        "organizer": 1, "subject": [], "startDateTime": "x", "endDateTime": 2, "colour": "red",
        "attendees": [{"role": "boss"}],
    }));
    assert_eq!(
        found,
        [
            "/organizer",
            "/subject",
            "/startDateTime",
            "/endDateTime",
            "/attendees/0/upn",
            "/attendees/0/role",
            "/colour"
        ]
    );
}

/// Where the id must stand in the body, a missing one is reported together with the other faults.
#[test]
fn a_missing_id_is_one_fault_among_the_others() {
    let faults = parse_with_id(json!({"organizer": "a@contoso.com"})).unwrap_err();
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/bookingId", "/startDateTime"]);
}

/// A body that is no object has one fault, at the root.
#[test]
fn a_body_that_is_no_object_is_named_as_such() {
    let faults = parse(json!([1])).unwrap_err();
    assert_eq!(faults, [MemberFault::at("", "must be an object, not a list")]);
}

proptest::proptest! {
    /// Whatever is accepted survives being stored: what the store reads back is what was written.
    #[test]
    fn an_accepted_booking_is_read_back_unchanged(subject in "[^\\x00]{1,255}", start in 0i64..250_000_000_000, ticks in 0u32..10_000_000) {
        let start = OffsetDateTime::from_unix_timestamp(start).unwrap().replace_nanosecond(ticks * 100).unwrap();
        let text = start.format(&Rfc3339).unwrap();
        let (_, spec) = parse(body(&json!({"subject": subject, "startDateTime": text}))).unwrap();
        let kept = serde_json::to_value(&spec).unwrap();
        proptest::prop_assert_eq!(serde_json::from_value::<BookingSpec>(kept).unwrap(), spec);
    }
}
