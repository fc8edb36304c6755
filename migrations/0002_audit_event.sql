-- The history: one row for each fact, written in the same statement as the act that it records.
create table audit_event (
    event_id       bigint      generated always as identity,
    -- Numbers are drawn before they are committed, and a reader who followed them would pass over one that is
    -- committed late. So the history of all bookings is ordered by the transactions.
    transaction_id xid8        not null default pg_current_xact_id(),
    recorded_at    timestamptz not null default statement_timestamp(),
    occurred_at    timestamptz not null,
    event_type     text        not null,
    outcome        text,
    source_system  text        not null,
    booking_id     text        not null,
    generation     integer     not null,
    number         integer     not null,
    external_id    uuid        not null,
    organizer      text,
    meeting_id     text,
    actor          text        not null,
    payload        json        not null,

    -- No foreign key: it would lock the booking's row a second time for every event, and the statement that
    -- writes an event takes these columns from that row.
    constraint audit_event_key primary key (transaction_id, event_id, recorded_at),
    constraint audit_event_occurred_when_recorded check (
        occurred_at between recorded_at - interval '2 hours' and recorded_at + interval '2 hours'
    )
);

create index audit_event_by_booking on audit_event (booking_id, source_system, event_id);
create index audit_event_by_source_system on audit_event (source_system, transaction_id, event_id);
create index audit_event_by_hour on audit_event (date_trunc('hour', occurred_at at time zone 'UTC'), transaction_id);
create index audit_event_by_type on audit_event (event_type, transaction_id, event_id)
    where event_type not in ('booking.accepted', 'meeting.created');
create index audit_event_by_request on audit_event ((payload->>'requestId')) where payload->>'requestId' is not null;

comment on table audit_event is
    'The history: one row for each fact, written in the same statement as the act. Append-only.';
comment on column audit_event.event_id is 'Rises within one booking in the order in which its events happened.';
comment on column audit_event.transaction_id is
    'The transaction that wrote the event; the history of all bookings is ordered by it.';
comment on column audit_event.recorded_at is 'When the event was written, by the clock of the database.';
comment on column audit_event.occurred_at is 'When it happened, by the clock of the replica.';
comment on column audit_event.event_type is 'What happened: a fact of the past, such as meeting.created.';
comment on column audit_event.outcome is 'How the call to Graph ended, where the event is about one.';
comment on column audit_event.source_system is 'The booking''s source system.';
comment on column audit_event.booking_id is 'The booking''s id in its source system.';
comment on column audit_event.generation is 'The booking''s generation; 0 before the first one: a cancel that came before the booking.';
comment on column audit_event.number is
    'Counts the events of one generation from 1 without a gap, so that a missing one shows.';
comment on column audit_event.external_id is 'The booking''s name at Graph; of generation 0 the one that the first generation has, or would have.';
comment on column audit_event.organizer is 'The organizer as the caller wrote it; a cancel that came before the booking names none.';
comment on column audit_event.meeting_id is 'The meeting, once there is one.';
comment on column audit_event.actor is 'Who acted: api-key:NAME, token:ISSUER:SUBJECT/APPLICATION, command:USER or worker.';
comment on column audit_event.payload is 'Everything else that is known of the event, as JSON.';
comment on constraint audit_event_key on audit_event is
    'The order of the history of all bookings. recorded_at stands last so that the table can become one of several partitions by time without another index.';
comment on constraint audit_event_occurred_when_recorded on audit_event is
    'No event is dated back or ahead: the clock of the database stands beside it, and the role of the service can''t choose that. Two hours are enough for the longest lease, in which an answer waits to be stored, and for a clock that is badly off.';
comment on index audit_event_by_booking is
    'The history of one booking, in its order; the booking id stands first, for searches without a source system.';
comment on index audit_event_by_source_system is
    'The history that one source system sees, which may have few events beside one that has very many.';
comment on index audit_event_by_hour is 'Between which transactions the events of a period were written.';
comment on index audit_event_by_type is
    'The events of one type, without the two that every booking has: those are found soon in the order of all.';
comment on index audit_event_by_request is 'What one request has caused; what the worker resumed names no request.';

-- Events are facts of the past: the service's own mistakes can't change them either.
create function audit_event_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are append-only: % refused', tg_op using errcode = 'restrict_violation';
end
$$;
comment on function audit_event_is_append_only() is 'Refuses every change of the history.';
create trigger audit_event_append_only before update or delete or truncate on audit_event
    for each statement execute function audit_event_is_append_only();
comment on trigger audit_event_append_only on audit_event is 'Keeps the history from being changed.';

-- One event as a statement that writes takes it: one parameter, its members named. Which booking and which meeting it is
-- about, the statement takes from the booking's row. JSON comes as text. Never altered: see README.md.
create type event_input as (
    occurred_at timestamptz,
    event_type  text,
    outcome     text,
    actor       text,
    payload     text
);
comment on type event_input is 'One event, as a statement takes it in one parameter. Never altered.';

-- What a declaration writes beside the booking itself.
create type declaration_input as (
    known_revision   integer,
    known_attempt_id uuid,
    event            event_input,
    retired          event_input
);
comment on type declaration_input is
    'What a declaration writes beside the booking: the revision and the attempt under which it was read, its event, and the event of each older generation that is retired with it. Never altered.';

-- What a settlement writes beside the booking itself.
create type settlement_input as (
    attempt_id           uuid,
    worked_on            integer,
    online_meeting       text,
    event                event_input,
    retired              event_input,
    freed                event_input,
    refuted_of_organizer text[],
    refuted_of_name      text[]
);
comment on type settlement_input is
    'What a settlement writes beside the booking: the attempt, the revision that it worked on, the whole meeting, its event, the events of other bookings that it retires or frees, and the reasons for which bookings of the same organizer, or of the same name, are parked without one any longer. Never altered.';
