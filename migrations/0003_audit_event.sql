-- The history: one row for each fact, written in the same statement as the act that it testifies to.
create table audit_event (
    event_id       bigint      generated always as identity,
    -- Which transaction wrote it. The history of all bookings is ordered by it: numbers are drawn before they are
    -- committed, and a reader who followed them would pass over one that is committed late.
    transaction_id xid8        not null default pg_current_xact_id(),
    occurred_at    timestamptz not null,
    event_type     text        not null,
    outcome        text,
    source_system  text        not null,
    booking_id     text        not null,
    generation     integer     not null,
    external_id    uuid        not null,
    organizer      text        not null,
    meeting_id     text,
    actor          text        not null,
    payload      json        not null,

    -- No foreign key: it would lock the booking's row a second time for every event, and the statement that
    -- writes an event takes these columns from that row.
    constraint audit_event_key primary key (transaction_id, event_id)
);
create index audit_event_by_booking on audit_event (source_system, booking_id, event_id);
create index audit_event_by_time on audit_event using brin (occurred_at);
