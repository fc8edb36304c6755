//! Fills the database with bookings and their history, without one request.

use std::time::Instant;

use crate::bench_setup::BenchSetup;

const GENERATED: &str = include_str!("generated_history.sql");
/// What makes the constraints anew that are indexes, and the other indexes, of the two large tables.
const MADE_ANEW: &str = "
    select format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    from pg_constraint where conrelid in ('booking'::regclass, 'audit_event'::regclass) and contype in ('p', 'u')
    union all
    select pg_get_indexdef(indexrelid) from pg_index
    where indrelid in ('booking'::regclass, 'audit_event'::regclass)
        and not exists (select from pg_constraint where conindid = indexrelid)";
/// What takes them away.
const TAKEN_AWAY: &str = "
    select format('alter table %s drop constraint %I', conrelid::regclass, conname)
    from pg_constraint where conrelid in ('booking'::regclass, 'audit_event'::regclass) and contype in ('p', 'u')
    union all
    select format('drop index %s', indexrelid::regclass) from pg_index
    where indrelid in ('booking'::regclass, 'audit_event'::regclass)
        and not exists (select from pg_constraint where conindid = indexrelid)";

/// Fills them. Indexes are taken away meanwhile: made at the end they take a part of the time.
#[expect(clippy::print_stdout, reason = "it takes minutes, and a person waits")]
pub fn fill(setup: &BenchSetup, bookings: u64) -> anyhow::Result<()> {
    let began = Instant::now();
    let told = |what: &str| println!("{what} after {:.0} s", began.elapsed().as_secs_f64());
    // The schema comes with the service.
    setup.start_service()?.end()?;
    let made_anew = setup.ask_texts(MADE_ANEW)?;
    for statement in setup.ask_texts(TAKEN_AWAY)? {
        setup.execute(&statement)?;
    }
    setup.execute(&GENERATED.replace(":bookings", &bookings.to_string()))?;
    told("Rows are there");
    for statement in made_anew {
        setup.execute(&statement)?;
    }
    for statement in ["vacuum analyze booking", "vacuum analyze audit_event"] {
        setup.execute(statement)?;
    }
    told("Indexes and statistics are there");
    Ok(())
}
