-- Calls off, and counts, the generations before one whose meetings are still held, each with its event: when a later generation has
-- its meeting, and when it is called off. Called inside the statement that does so, hence all or nothing with it.
create function retire_older_generations(
    of_source_system text, of_booking_id text, of_generation integer,
    at timestamptz, by_actor text, as_event_type text, with_payload json
) returns bigint language sql as $$
    with retired as (
        update booking set
            revision = revision + 1, wanted_revision = wanted_revision + 1,
            desired_state = 'cancelled', status = 'cancelling', due_at = at,
            failures = 0, failing_since = null, last_error = null, updated_at = at
        where source_system = of_source_system and booking_id = of_booking_id and generation < of_generation
            and desired_state = 'present'
        returning source_system, booking_id, generation, external_id, organizer, meeting_id
    ), recorded as (
        insert into audit_event (
            occurred_at, event_type, source_system, booking_id, generation, external_id, organizer, meeting_id, actor,
            payload
        )
        select at, as_event_type, source_system, booking_id, generation, external_id, organizer, meeting_id, by_actor,
            with_payload
        from retired
    )
    select count(*) from retired
$$;
