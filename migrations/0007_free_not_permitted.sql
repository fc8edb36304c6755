-- What is parked because no access policy covers its organizer: few rows, none on a good day, and looked for by every
-- settlement that went well.
create index booking_not_permitted on booking (organizer_id)
    where status = 'failed' and last_error->>'code' = 'organizer-not-permitted';

-- Makes such bookings of one organizer due, and counts them, each with its event: when a call for the organizer went
-- well. Called inside the statement that settles that call, hence all or nothing with it. A row that somebody else is
-- changing is left to them, so that two settlements never wait for each other. What is beyond the limit is freed when
-- those go well. The event is {"type", "actor", "payload"}.
create function free_not_permitted(of_organizer_id uuid, at timestamptz, event json) returns bigint language sql as $$
    with parked as (
        select source_system, booking_id, generation from booking
        where organizer_id = of_organizer_id and status = 'failed' and last_error->>'code' = 'organizer-not-permitted'
        order by updated_at
        limit 500
        for update skip locked
    ), freed as (
        update booking set
            status = case
                when desired_state = 'cancelled' then 'cancelling'
                when provisioned_at is not null then 'updating'
                else 'pending'
            end,
            revision = revision + 1, due_at = at, failures = 0, failing_since = null, updated_at = at
        from parked
        where booking.source_system = parked.source_system and booking.booking_id = parked.booking_id
            and booking.generation = parked.generation
        returning booking.source_system, booking.booking_id, booking.generation, external_id, organizer, meeting_id,
            status
    ), recorded as (
        insert into audit_event (
            occurred_at, event_type, source_system, booking_id, generation, external_id, organizer, meeting_id, actor,
            payload
        )
        select at, event->>'type', source_system, booking_id, generation, external_id, organizer, meeting_id,
            event->>'actor', ((event->'payload')::jsonb || jsonb_build_object('next', jsonb_build_object(
                'status', status,
                'dueAt', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            )))::json
        from freed
    )
    select count(*) from freed
$$;
