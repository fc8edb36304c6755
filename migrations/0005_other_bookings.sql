-- What an act on one booking does to other bookings. Each function is called inside the statement of that act, so all of
-- it happens or nothing, and writes to booking and audit_event alike. Each says again in SQL what the service decides in
-- Rust, because the rows are not read before; the tests in src/store/database_tests hold the two together.

-- Cancels the generations before one that are still to be present: when the later generation has its meeting, and when
-- it is cancelled itself. In Rust: Booking::retired.
create function retire_older_generations(
    of_source_system text, of_booking_id text, of_generation integer, event event_input
) returns bigint language sql as $$
    with retired as (
        -- The later generation takes the place of these: they want no meeting any longer, and have it removed at once.
        update booking set
            revision = revision + 1, wanted_revision = wanted_revision + 1,
            desired_state = 'cancelled', status = 'cancelling', due_at = event.occurred_at,
            failures = 0, failing_since = null, last_error = null,
            events = events + 1, updated_at = event.occurred_at
        where source_system = of_source_system and booking_id = of_booking_id and generation < of_generation
            and desired_state = 'present'
        returning source_system, booking_id, generation, external_id, organizer, meeting_id, events
    ), recorded as (
        -- The history of each says so.
        insert into audit_event (
            occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id, organizer,
            meeting_id, actor, payload
        )
        select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation, events,
            external_id, organizer, meeting_id, event.actor, event.payload::json
        from retired
    )
    select count(*) from retired
$$;
comment on function retire_older_generations(text, text, integer, event_input) is
    'Cancels the generations before one that are still to be present, each with its event, and counts them.';

-- Makes bookings due that are parked for a reason which a success for their organizer refutes: those of the organizer's object
-- id, and those of the organizer's name whose object id was never found. In Rust: Booking::retried; which success refutes what:
-- Reply::refutes. A row that another statement is changing is passed over, so that two settlements never wait for each other.
-- What is beyond the limit is freed when those go well.
create function free_refuted(
    of_organizer_id uuid, refuted_of_organizer text[], of_name text, refuted_of_name text[], event event_input
) returns bigint language sql as $$
    with parked as (
        -- The longest parked first.
        select source_system, booking_id, generation from booking
        where parked_for is not null and (
            (organizer_id = of_organizer_id and parked_for = any(refuted_of_organizer))
            or (organizer_id is null and lower(organizer) = lower(of_name) and parked_for = any(refuted_of_name))
        )
        order by updated_at
        limit 500
        for update skip locked
    ), freed as (
        -- Due now, with failures counted anew; the last error stays until a success. The case repeats Booking::status
        -- for a booking that is due.
        update booking set
            status = case
                when desired_state = 'cancelled' then 'cancelling'
                when agreement in ('check-requested', 'under-way') and agreed_revision = wanted_revision
                    then 'provisioned'
                when provisioned_at is not null then 'updating'
                else 'pending'
            end,
            revision = revision + 1, due_at = event.occurred_at, failures = 0, failing_since = null,
            was_freed = true, events = events + 1, updated_at = event.occurred_at
        from parked
        where booking.source_system = parked.source_system and booking.booking_id = parked.booking_id
            and booking.generation = parked.generation
        returning booking.source_system, booking.booking_id, booking.generation, external_id, organizer, meeting_id,
            status, events
    ), recorded as (
        -- The history of each says so, and how it stands from here on.
        insert into audit_event (
            occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id, organizer,
            meeting_id, actor, payload
        )
        select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation, events,
            external_id, organizer, meeting_id, event.actor,
            (event.payload::jsonb || jsonb_build_object('next', jsonb_build_object(
                'status', status,
                'dueAt', to_char(event.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            )))::json
        from freed
    )
    select count(*) from freed
$$;
comment on function free_refuted(uuid, text[], text, text[], event_input) is
    'Makes up to 500 bookings of one organizer due that were parked for reasons which a success refutes, each with its event, and counts them.';

-- Keeps a cancel of a booking that is not there, with its event. Events of tombstones have the generation 0: they stand before
-- the first one of the booking, should that come to be. Whether the cancel is newer than one that was kept before is decided
-- in Rust (Tombstone::cancelled_again); here it only counts that the tombstone is as it was read.
create function keep_cancel(input tombstone_input) returns boolean language plpgsql as $$
declare
    event event_input := input.event;
    kept integer;
begin
    perform pg_advisory_xact_lock(beginning_lock(input.source_system, input.booking_id));
    if exists (select from booking where source_system = input.source_system and booking_id = input.booking_id) then
        return false;
    end if;
    if input.known_revision is null then
        insert into tombstone (
            source_system, booking_id, external_id, revision, sequence, dtstamp, actor, request_id, received_at
        ) values (
            input.source_system, input.booking_id, input.external_id, 1, input.sequence, input.dtstamp, event.actor,
            input.request_id, event.occurred_at
        )
        on conflict do nothing
        returning revision into kept;
    else
        update tombstone set
            revision = revision + 1, sequence = input.sequence, dtstamp = input.dtstamp, actor = event.actor,
            request_id = input.request_id, received_at = event.occurred_at
        where source_system = input.source_system and booking_id = input.booking_id
            and revision = input.known_revision
        returning revision into kept;
    end if;
    if kept is null then
        return false;
    end if;
    insert into audit_event (
        occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id, organizer,
        meeting_id, actor, payload
    ) values (
        event.occurred_at, event.event_type, event.outcome, input.source_system, input.booking_id, 0, kept,
        input.external_id, null, null, event.actor, event.payload::json
    );
    return true;
end
$$;
comment on function keep_cancel(tombstone_input) is
    'Keeps a cancel of a booking that is not there, with its event, while its tombstone has the revision that was read; says whether it did.';
