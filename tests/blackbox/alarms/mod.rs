//! The alarms of `deploy/prometheus-rules.yaml`: each against Prometheus' own rule tests, and the file as it stands in a real
//! Prometheus beside a real service.

mod in_prometheus;
mod prometheus;
mod rules;

/// The file that operators give to their Prometheus.
const RULES: &str = include_str!("../../../deploy/prometheus-rules.yaml");

/// One alarm of the file.
struct Alarm {
    name: &'static str,
    when: &'static str,
    annotations: Vec<&'static str>,
}

/// The alarms, in their order. The file is written so that this reads it: one member a line.
fn alarms() -> Vec<Alarm> {
    let blocks = RULES.split("- alert: ").skip(1);
    let alarms = blocks.map(|block| {
        let mut lines = block.lines().map(str::trim);
        let name = lines.next().unwrap();
        let when = lines.next().unwrap().strip_prefix("expr: ").unwrap();
        let annotations = block.lines().skip_while(|line| line.trim() != "annotations:").skip(1);
        let annotations = annotations.filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
        Alarm { name, when, annotations: annotations.collect() }
    });
    alarms.collect()
}
