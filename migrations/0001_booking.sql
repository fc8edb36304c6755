-- One row for each generation of a booking: what is wanted, what was observed at Graph, and what is due.
-- There is no queue beside it; the row itself is the promise.
create table booking (
    source_system      text        not null,
    booking_id         text        not null,
    generation         integer     not null,
    external_id        uuid        not null,
    revision           integer     not null,
    status             text        not null,

    -- Wanted. The document is the booking as accepted, times to 100 ns; the columns beside it serve searches.
    wanted             json        not null,
    wanted_revision    integer     not null,
    desired_state        text        not null,
    sequence           integer,
    organizer          text        not null,
    start_at           timestamptz not null,
    end_at             timestamptz not null,

    -- Observed.
    organizer_id       uuid,
    creation_unknown   boolean     not null,
    meeting_id         text,
    join_web_url       text,
    chat_thread_id     text,
    created_by         text,
    seen               json,
    agreement          text,
    agreed_revision    integer,
    lobby_closed       boolean     not null default false,
    removed            boolean     not null default false,
    online_meeting     json,
    provisioned_at     timestamptz,

    -- Due. A lease names the attempt that is under way; only this attempt may settle.
    due_at             timestamptz,
    lease_attempt_id   uuid,
    lease_started_at   timestamptz,
    lease_until        timestamptz,
    attempts           integer     not null default 0,
    failures           integer     not null default 0,
    failing_since      timestamptz,
    last_error         json,

    created_at         timestamptz not null,
    updated_at         timestamptz not null,

    constraint booking_key primary key (source_system, booking_id, generation),
    constraint booking_external_id_unique unique (external_id),
    constraint booking_generation_from_one check (generation >= 1),
    constraint booking_revision_from_one check (revision >= 1 and wanted_revision between 1 and revision),
    constraint booking_status_known check (
        status in ('pending', 'provisioned', 'updating', 'cancelling', 'cancelled', 'failed')
    ),
    constraint booking_life_known check (desired_state in ('present', 'cancelled')),
    constraint booking_life_fits_status check (
        status = 'failed' or (desired_state = 'cancelled') = (status in ('cancelling', 'cancelled'))
    ),
    constraint booking_ends_after_start check (end_at >= start_at),
    constraint booking_in_progress_is_due check (
        (status in ('pending', 'updating', 'cancelling')) = (due_at is not null)
    ),
    constraint booking_lease_whole check (
        (lease_attempt_id is null) = (lease_until is null)
        and (lease_attempt_id is null) = (lease_started_at is null)
    ),
    constraint booking_lease_only_while_due check (lease_attempt_id is null or due_at is not null),
    constraint booking_meeting_whole check (
        (meeting_id is null) = (join_web_url is null)
        and (meeting_id is null) = (created_by is null)
        and (meeting_id is null) = (seen is null)
        and (meeting_id is null) = (online_meeting is null)
        and (meeting_id is not null or (not lobby_closed and not removed))
    ),
    constraint booking_created_by_known check (created_by in ('this-request', 'existing')),
    constraint booking_provisioned_has_meeting check (
        status not in ('provisioned', 'updating') or (meeting_id is not null and provisioned_at is not null)
    ),
    constraint booking_failed_says_why check (status <> 'failed' or last_error is not null)
);
