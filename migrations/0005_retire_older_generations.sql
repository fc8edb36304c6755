-- Calls off, and counts, the generations before one whose meetings are still held, each with its event: when a later generation has
-- its meeting, and when it is called off. Called inside the statement that does so, hence all or nothing with it.
create function retire_older_generations(
    of_source_system text, of_booking_id text, of_generation integer,
    at timestamptz, by_actor text, as_event_type text, with_testimony json
) returns bigint language sql as $$
    with retired as (
        update booking set
            revision = revision + 1, wanted_revision = wanted_revision + 1,
            wanted_life = 'cancelled', status = 'cancelling', due_at = at,
            failures = 0, failing_since = null, last_error = null, updated_at = at
        where source_system = of_source_system and booking_id = of_booking_id and generation < of_generation
            and wanted_life = 'held'
        returning source_system, booking_id, generation, external_id, organizer, meeting_id
    ), testified as (
        insert into audit_event (
            occurred_at, event_type, source_system, booking_id, generation, external_id, organizer, meeting_id, actor,
            testimony
        )
        select at, as_event_type, source_system, booking_id, generation, external_id, organizer, meeting_id, by_actor,
            with_testimony
        from retired
    )
    select count(*) from retired
$$;
