//! What each alarm fires for and what it doesn't, as `promtool test rules` finds it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use super::{RULES, alarms};

const OPERATING: &str = include_str!("../../../docs/OPERATING.md");
const METRICS: &str = include_str!("../../../docs/METRICS.md");

/// One alarm beside series, a value a minute in Prometheus' notation, that are quiet or make it fire.
struct Case {
    alarm: &'static str,
    series: &'static [(&'static str, &'static str)],
    fires: bool,
}

const fn case(alarm: &'static str, fires: bool, series: &'static [(&'static str, &'static str)]) -> Case {
    Case { alarm, series, fires }
}

const DAY_LIMIT: &str =
    "meeting_provisioner_limited_total{source_system=\"crm\", limit=\"bookings-per-day\"}";
const RATE_LIMIT: &str =
    "meeting_provisioner_limited_total{source_system=\"crm\", limit=\"requests-per-second\"}";
const UP_A: &str = "up{job=\"meeting-provisioner\", instance=\"a\"}";
const UP_B: &str = "up{job=\"meeting-provisioner\", instance=\"b\"}";
const DATABASE_UP: &str = "meeting_provisioner_database_up";
const WRITABLE: &str = "meeting_provisioner_database_writable";
const DUE_AGE: &str = "meeting_provisioner_oldest_due_age_seconds";
const SOON: &str = "meeting_provisioner_bookings_starting_soon_without_link";
const FAILED: &str = "meeting_provisioner_bookings{status=\"failed\"}";
const PENDING: &str = "meeting_provisioner_bookings{status=\"pending\"}";
const FAILING: &str = "meeting_provisioner_longest_failing_age_seconds";
const REFUSED: &str = "meeting_provisioner_graph_calls_total{call=\"create-or-get\", outcome=\"refused\"}";
const CREATED: &str = "meeting_provisioner_graph_calls_total{call=\"create-or-get\", outcome=\"created\"}";
const OVERLOADED: &str = "meeting_provisioner_http_refused_total{refused=\"request\"}";
const SERVER_ERRORS: &str = "meeting_provisioner_http_server_errors_total{status=\"503\"}";
const LOST: &str = "meeting_provisioner_leases_lost_total";
const RESUMED: &str = "meeting_provisioner_leases_resumed_total";
const CLOCK: &str = "meeting_provisioner_clock_difference_seconds";
const KEYS_FILE: &str = "meeting_provisioner_api_keys_file_faulty";
const REMAINING_DAYS: &str = "meeting_provisioner_credential_remaining_days";
const CREDENTIAL_REFUSED: &str = "meeting_provisioner_credential_refused";
const CREDENTIAL_FILE: &str = "meeting_provisioner_credential_file_faulty";
const ISSUER_KEYS: &str = "meeting_provisioner_issuer_keys{issuer=\"entra\"}";
const ISSUER_KEYS_AGE: &str = "meeting_provisioner_issuer_keys_age_seconds{issuer=\"entra\"}";
const NEAR_LIMIT: &str = "meeting_provisioner_organizers_near_monthly_limit";

const CLAIMS_FAILING: &str = "meeting_provisioner_claims_failing_seconds";
const DISPLACED: &str = "meeting_provisioner_connections_closed_total{port=\"public\", reason=\"displaced\"}";
const SLOW_READER: &str =
    "meeting_provisioner_connections_closed_total{port=\"public\", reason=\"slow-reader\"}";
const UNREADABLE: &str = "meeting_provisioner_rows_unreadable_total";
const UNEXPECTED: &str = "meeting_provisioner_meetings_unexpected_total";
const SETTLEMENTS_REFUSED: &str = "meeting_provisioner_settlements_refused_total";

/// Looked at after ten minutes. `_` is a scrape that failed or a metric that vanished.
const CASES: [Case; 66] = [
    case("Away", true, &[(UP_A, "1x2 0x20"), (UP_B, "1x2 0x20")]),
    case("Away", true, &[]),
    case("Away", false, &[(UP_A, "0x20"), (UP_B, "1x20")]),
    case("ReplicaAway", true, &[(UP_A, "1 0x20"), (UP_B, "1x20")]),
    case("ReplicaAway", false, &[(UP_A, "1x7 0x20"), (UP_B, "1x20")]),
    case("DatabaseAway", true, &[(DATABASE_UP, "1x5 0x20")]),
    case("DatabaseAway", false, &[(DATABASE_UP, "1x3 0 1x20")]),
    case("DatabaseTakesNoWrites", true, &[(DATABASE_UP, "1x20"), (WRITABLE, "1x5 0x20")]),
    case("DatabaseTakesNoWrites", false, &[(DATABASE_UP, "0x20"), (WRITABLE, "0x20")]),
    case("DatabaseTakesNoWrites", false, &[(DATABASE_UP, "1x20"), (WRITABLE, "1x20")]),
    case("NothingResumed", true, &[(DUE_AGE, "0+60x20")]),
    case("NothingResumed", false, &[(DUE_AGE, "0+20x20")]),
    case("NothingResumed", false, &[(DUE_AGE, "400 _x20")]),
    case("StartingSoonWithoutLink", true, &[(SOON, "0x5 1x20")]),
    case("StartingSoonWithoutLink", false, &[(SOON, "0x20")]),
    case("BookingsFailed", true, &[(FAILED, "0x5 1x20"), (PENDING, "0x20")]),
    case("BookingsFailed", false, &[(FAILED, "0x20"), (PENDING, "9x20")]),
    case("BookingsStuck", true, &[(FAILING, "400+60x20")]),
    case("BookingsStuck", false, &[(FAILING, "0+60x20")]),
    // The very first refusal, of a counter that was scraped at 0 before.
    case("GraphRefuses", true, &[(REFUSED, "0x8 1x20"), (CREATED, "0x20")]),
    case("GraphRefuses", false, &[(REFUSED, "0x20"), (CREATED, "0+5x20")]),
    case("GraphRefuses", false, &[(REFUSED, "7x20"), (CREATED, "0x20")]),
    case("Overloaded", true, &[(OVERLOADED, "0x8 1x20")]),
    case("Overloaded", false, &[(OVERLOADED, "0 1x20")]),
    case("Overloaded", false, &[(OVERLOADED, "3x20")]),
    case("ServerErrors", true, &[(SERVER_ERRORS, "0x8 1x20")]),
    case("ServerErrors", false, &[(SERVER_ERRORS, "3x20")]),
    case("LeasesLost", true, &[(LOST, "0x3 1x20")]),
    case("LeasesLost", false, &[(LOST, "1x20")]),
    case("LeasesResumed", true, &[(RESUMED, "0x3 2x20")]),
    case("LeasesResumed", false, &[(RESUMED, "2x20")]),
    case("ClockDiffers", true, &[(CLOCK, "0x5 600x20")]),
    case("ClockDiffers", true, &[(CLOCK, "0x5 -6x20")]),
    case("ClockDiffers", false, &[(CLOCK, "-4x20")]),
    case("ClockDiffers", false, &[(CLOCK, "600 _x20")]),
    case("ApiKeysFileFaulty", true, &[(KEYS_FILE, "0x5 1x20")]),
    case("ApiKeysFileFaulty", false, &[(KEYS_FILE, "0x20")]),
    case("CredentialExpires", true, &[(REMAINING_DAYS, "13.9x20")]),
    case("CredentialExpires", true, &[(REMAINING_DAYS, "-1x20")]),
    case("CredentialExpires", false, &[(REMAINING_DAYS, "14x20")]),
    case("CredentialExpires", false, &[(REMAINING_DAYS, "1 _x20")]),
    case("CredentialRefused", true, &[(CREDENTIAL_REFUSED, "0x5 1x20")]),
    case("CredentialRefused", false, &[(CREDENTIAL_REFUSED, "0x8 1 0x20")]),
    case("CredentialFileFaulty", true, &[(CREDENTIAL_FILE, "0x5 1x20")]),
    case("CredentialFileFaulty", false, &[(CREDENTIAL_FILE, "0x8 1 0x20")]),
    case("IssuerWithoutKeys", true, &[(ISSUER_KEYS, "2x5 0x20")]),
    case("IssuerWithoutKeys", false, &[(ISSUER_KEYS, "0 2x20")]),
    case("IssuerKeysOld", true, &[(ISSUER_KEYS_AGE, "600x5 7260+60x20")]),
    case("IssuerKeysOld", false, &[(ISSUER_KEYS_AGE, "600x20")]),
    case("OrganizerNearMonthlyLimit", true, &[(NEAR_LIMIT, "0x5 1x20")]),
    case("OrganizerNearMonthlyLimit", false, &[(NEAR_LIMIT, "0x20")]),
    case("BookingsFailed", false, &[(FAILED, "1 _x20")]),
    case("ClaimsFail", true, &[(CLAIMS_FAILING, "0x2 60+60x20")]),
    case("ClaimsFail", false, &[(CLAIMS_FAILING, "0x4 60 0x20")]),
    case("ConnectionsDisplaced", true, &[(DISPLACED, "0x8 1x20"), (SLOW_READER, "0x20")]),
    case("ConnectionsDisplaced", false, &[(DISPLACED, "0 5x20"), (SLOW_READER, "0+1x20")]),
    case("SlowReaders", true, &[(SLOW_READER, "0x8 1x20"), (DISPLACED, "0x20")]),
    case("SlowReaders", false, &[(SLOW_READER, "3x20"), (DISPLACED, "0+1x20")]),
    // One look of an old replica while a new one is deployed is nothing; look after look is.
    case("RowsUnreadable", true, &[(UNREADABLE, "0+1x60")]),
    case("RowsUnreadable", false, &[(UNREADABLE, "0x1 2x20")]),
    case("BookingsPerDayExceeded", true, &[(DAY_LIMIT, "0x8 1x20")]),
    case("BookingsPerDayExceeded", false, &[(DAY_LIMIT, "3x20"), (RATE_LIMIT, "0+5x20")]),
    case("SettlementsRefused", true, &[(SETTLEMENTS_REFUSED, "0x8 1x20")]),
    case("SettlementsRefused", false, &[(SETTLEMENTS_REFUSED, "2x20")]),
    case("MeetingsUnexpected", true, &[(UNEXPECTED, "0x8 1x20")]),
    case("MeetingsUnexpected", false, &[(UNEXPECTED, "2x20")]),
];

fn promtool(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool")
        .args(arguments)
        .output()
        .expect("promtool is needed: install the Debian package prometheus");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

/// The cases as `promtool test rules` reads them.
fn cases_text() -> String {
    let mut text = "rule_files: [rules.yaml]\nevaluation_interval: 30s\ntests:\n".to_owned();
    for Case { alarm, series, fires } in CASES {
        let _never = writeln!(text, "  - interval: 1m\n    input_series:");
        if series.is_empty() {
            let _never = writeln!(text, "      - {{series: other, values: '0x20'}}");
        }
        for (series, values) in series {
            let _never = writeln!(text, "      - {{series: '{series}', values: '{values}'}}");
        }
        let name = format!("MeetingProvisioner{alarm}");
        let _never = writeln!(
            text,
            "    promql_expr_test:\n      - expr: 'count by (alertname) (ALERTS{{alertname=\"{name}\", \
             alertstate=\"firing\"}})'\n        eval_time: 10m\n        exp_samples: [{}]",
            if fires { format!("{{labels: '{{alertname=\"{name}\"}}', value: 1}}") } else { String::new() }
        );
    }
    text
}

/// Each alarm fires for what it is there for, and is quiet beside what looks like it.
#[test]
fn each_alarm_fires_when_it_should_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let [rules, cases] = ["rules.yaml", "cases.yaml"].map(|name| folder.path().join(name));
    std::fs::write(&rules, RULES).unwrap();
    std::fs::write(&cases, cases_text()).unwrap();
    let (good, text) = promtool(&["check", "rules", rules.to_str().unwrap()]);
    assert!(good, "{text}");
    let (good, text) = promtool(&["test", "rules", cases.to_str().unwrap()]);
    assert!(good, "{text}");
    for alarm in alarms() {
        for fires in [true, false] {
            let is_tried = |case: &Case| {
                alarm.name.strip_prefix("MeetingProvisioner") == Some(case.alarm) && case.fires == fires
            };
            assert!(CASES.iter().any(is_tried), "no case in which {} fires: {fires}", alarm.name);
        }
    }
}

/// Each alarm says what it is about and what to run, and names only metrics that there are.
#[test]
fn each_alarm_says_what_to_run_and_names_metrics_that_exist() {
    let documented: BTreeSet<&str> =
        METRICS.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for alarm in alarms() {
        assert_eq!(alarm.annotations, ["summary", "run"], "{}", alarm.name);
        let words = alarm.when.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for metric in words.filter(|word| word.starts_with("meeting_provisioner_")) {
            assert!(documented.contains(metric), "{} names {metric}", alarm.name);
        }
    }
}

/// The runbook's list is that of the file.
#[test]
fn the_runbook_lists_the_alarms_of_the_file() {
    let section = OPERATING.split("\n## Alarms\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: Vec<(&str, &str)> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | `"))
        .map(|(name, rest)| (name, rest.split_once("` | ").unwrap().0))
        .collect();
    let expected: Vec<(&str, &str)> = alarms().iter().map(|alarm| (alarm.name, alarm.when)).collect();
    assert_eq!(listed, expected);
}
