use super::*;
use crate::telemetry::KnownLabels;

const DOCUMENT: &str = include_str!("../../docs/METRICS.md");

fn touched() -> Metrics {
    let metrics = Metrics::new();
    let took = Duration::from_millis(20);
    metrics.http_request(Some("/v1/bookings/{bookingId}"), "GET", 200, took);
    metrics.graph_call("create-or-get", "found", took);
    metrics.booking_accepted(&SourceSystem::parse("room-booking").unwrap(), Acceptance::Replayed);
    metrics.limited(&SourceSystem::parse("room-booking").unwrap(), "bookings-per-day");
    metrics.booking_settled("provisioned");
    metrics.booking_parked("organizer-not-permitted");
    metrics.call_postponed("busy");
    metrics.set_gate(64, 1);
    metrics.set_near_monthly_limit(1);
    metrics.lease_lost();
    metrics.lease_resumed();
    metrics.meeting_drifted(&SourceSystem::parse("room-booking").unwrap(), "mend");
    metrics.http_request(Some("/v1/bookings/{bookingId}"), "GET", 503, took);
    metrics.set_backlog(Some(&backlog()));
    metrics.set_database(DatabaseState::Answers { takes_writes: true, clock_ahead_seconds: -0.25 });
    metrics.set_credential(Some(12.5), false, false);
    metrics.set_access(&AccessCounts {
        is_keys_file_faulty: true,
        last_uses: vec![("front-desk".to_owned(), 1.8e9)],
        refusals: vec![("key-unknown", 2)],
        issuers: vec![IssuerCounts { name: "entra".to_owned(), keys: 3, age: Some(took) }],
    });
    metrics.set_connections(1, 2, 20);
    metrics.notice_told("settled");
    metrics.notice_heard("awaited");
    metrics.set_listening(true);
    metrics.place_refused("wait");
    metrics.connection_opened("public");
    metrics.connection_closed("public", "slow-head");
    metrics
}

fn backlog() -> BacklogCounts {
    BacklogCounts {
        due: 3,
        oldest_due_age: Duration::from_millis(1_500),
        longest_failing_age: Duration::from_mins(7),
        starting_soon: 1,
        by_status: vec![("pending", 4)],
    }
}

/// A row of the document's table.
struct Documented {
    name: &'static str,
    kind: &'static str,
    labels: Vec<&'static str>,
}

/// The rows of the document's table, in their order.
fn documented() -> Vec<Documented> {
    let is_row =
        |line: &&str| ["| `meeting_provisioner_", "| `process_"].iter().any(|row| line.starts_with(row));
    let rows = DOCUMENT.lines().filter(is_row);
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split(", ").filter(|label| *label != "–");
        Documented {
            name: cells[1].trim_matches('`'),
            kind: cells[2],
            labels: labels.map(|label| label.trim_matches('`')).collect(),
        }
    });
    rows.collect()
}

/// The exposed families (`# TYPE name kind`) are those of the document, in its order.
#[test]
fn what_is_scraped_is_what_the_document_lists() {
    let text = touched().encode(Exposition::OpenMetrics).unwrap();
    let exposed: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| match line.split_once(' ') {
            Some((name, "counter")) => format!("{name}_total counter"),
            Some((name, "info")) => format!("{name}_info info"),
            _ => line.to_owned(),
        })
        .collect();
    let listed: Vec<String> =
        documented().iter().map(|metric| format!("{} {}", metric.name, metric.kind)).collect();
    assert_eq!(exposed, listed);
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn each_metric_has_the_labels_that_the_document_lists() {
    let text = touched().encode(Exposition::OpenMetrics).unwrap();
    for metric in documented() {
        let sample = match metric.kind {
            "histogram" => format!("{}_count", metric.name),
            _ => metric.name.to_owned(),
        };
        let line = text.lines().find(|line| line.split(['{', ' ']).next() == Some(&sample)).unwrap();
        let labels: Vec<&str> = line
            .split(['{', ',', '}'])
            .filter_map(|part| part.split_once("=\""))
            .map(|(label, _)| label)
            .collect();
        assert_eq!(labels, metric.labels, "{line}");
    }
}

#[test]
fn what_is_counted_is_what_is_scraped() {
    let text = touched().encode(Exposition::OpenMetrics).unwrap();
    for line in [
        "meeting_provisioner_http_requests_total{route=\"/v1/bookings/{bookingId}\",method=\"GET\",status=\"200\"} 1",
        "meeting_provisioner_graph_call_duration_seconds_bucket{le=\"0.025\",call=\"create-or-get\"} 1",
        "meeting_provisioner_bookings_accepted_total{source_system=\"room-booking\",result=\"replayed\"} 1",
        "meeting_provisioner_oldest_due_age_seconds 1.5",
        "meeting_provisioner_bookings{status=\"pending\"} 4",
        "meeting_provisioner_longest_failing_age_seconds 420.0",
        "meeting_provisioner_clock_difference_seconds -0.25",
        "meeting_provisioner_http_server_errors_total{status=\"503\"} 1",
        concat!("meeting_provisioner_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "# UNIT meeting_provisioner_http_request_duration_seconds seconds",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

/// Paths and methods that callers make up end in one label value each.
#[test]
fn labels_stay_few_whatever_callers_send() {
    let metrics = Metrics::new();
    for number in 0..100 {
        metrics.http_request(None, &format!("M{number}"), 404, Duration::ZERO);
    }
    let text = metrics.encode(Exposition::OpenMetrics).unwrap();
    let samples: Vec<&str> =
        text.lines().filter(|line| line.starts_with("meeting_provisioner_http_requests_total")).collect();
    assert_eq!(
        samples,
        ["meeting_provisioner_http_requests_total{route=\"unmatched\",method=\"other\",status=\"404\"} 100"]
    );
}

/// What can't be read any more is not exposed: the last number would look like a present one. What is known of the
/// database, that it is away, is.
#[test]
fn what_can_not_be_read_is_not_scraped() {
    let metrics = touched();
    metrics.set_backlog(None);
    metrics.set_database(DatabaseState::Away);
    let text = metrics.encode(Exposition::Prometheus).unwrap();
    for gone in [
        "bookings_due",
        "bookings{",
        "oldest_due_age",
        "longest_failing",
        "starting_soon",
        "clock_difference",
    ] {
        assert!(!text.contains(&format!("meeting_provisioner_{gone}")), "{gone}\n{text}");
    }
    for there in ["database_up 0", "database_writable 0", "leases_lost_total 1"] {
        assert!(text.contains(&format!("\nmeeting_provisioner_{there}\n")), "{there}\n{text}");
    }
    metrics.set_backlog(Some(&backlog()));
    assert!(metrics.encode(Exposition::Prometheus).unwrap().contains("meeting_provisioner_bookings_due 3"));
}

/// Statuses that no answer has yet are one label value, so that no handler can make up more.
#[test]
fn answers_that_are_our_fault_are_counted_from_zero() {
    let metrics = Metrics::born_at_zero(&KnownLabels::default());
    let count = |status: &str| {
        let text = metrics.encode(Exposition::Prometheus).unwrap();
        let line = format!("meeting_provisioner_http_server_errors_total{{status=\"{status}\"}} ");
        text.lines().find_map(|found| found.strip_prefix(&line)?.parse::<u32>().ok())
    };
    assert_eq!((count("500"), count("503"), count("other")), (Some(0), Some(0), Some(0)));
    for status in [200, 404, 499, 500, 503, 503, 511, 599] {
        metrics.http_request(None, "GET", status, Duration::ZERO);
    }
    assert_eq!((count("500"), count("503"), count("other")), (Some(1), Some(2), Some(2)));
}
