-- One row for each generation of a booking: what is wanted, what was observed at Graph, and what is due.
-- There is no queue beside it; the row itself is the promise.
create table booking (
    source_system      text        not null,
    booking_id         text        not null,
    generation         integer     not null,
    external_id        uuid        not null,
    revision           integer     not null,
    status             text        not null,

    -- Wanted.
    wanted             json        not null,
    wanted_revision    integer     not null,
    desired_state      text        not null,
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
    seen_at            timestamptz,
    settings_before    json,
    agreement          text,
    agreed_revision    integer,
    lobby_closed       boolean     not null default false,
    removed            boolean     not null default false,
    online_meeting     json,
    provisioned_at     timestamptz,

    -- Due.
    due_at             timestamptz,
    lease_attempt_id   uuid,
    lease_started_at   timestamptz,
    lease_until        timestamptz,
    attempts           integer     not null default 0,
    failures           integer     not null default 0,
    failing_since      timestamptz,
    last_error         json,

    events             integer     not null default 0,
    created_at         timestamptz not null,
    updated_at         timestamptz not null,

    -- Freed.
    was_freed          boolean     not null default false,
    -- In Rust: Booking::parked_for.
    parked_for         text        generated always as (
        case
            when status <> 'failed' then null
            when last_error->>'code' in ('organizer-not-permitted', 'organizer-not-found', 'graph-unauthorized')
                then last_error->>'code'
            when last_error->>'code' = 'graph-refused' and last_error->'graph'->>'status' = '403'
                and meeting_id is null and not was_freed
                then 'organizer-forbidden'
        end
    ) stored,

    -- The booking id stands first: a search without a source system finds it, too.
    constraint booking_key primary key (booking_id, source_system, generation),
    constraint booking_external_id_unique unique (external_id),
    constraint booking_generation_from_one check (generation >= 1),
    constraint booking_revision_from_one check (revision >= 1 and wanted_revision between 1 and revision),
    constraint booking_status_known check (
        status in ('pending', 'provisioned', 'updating', 'cancelling', 'cancelled', 'failed')
    ),
    constraint booking_desired_state_known check (desired_state in ('present', 'cancelled')),
    constraint booking_desired_state_fits_status check (
        status = 'failed' or (desired_state = 'cancelled') = (status in ('cancelling', 'cancelled'))
    ),
    constraint booking_ends_after_start check (end_at >= start_at),
    constraint booking_in_progress_is_due check (
        case when status = 'provisioned' then due_at is null or agreement in ('check-requested', 'under-way')
            else (status in ('pending', 'updating', 'cancelling')) = (due_at is not null) end
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
        and (meeting_id is null) = (seen_at is null)
        and (meeting_id is null) = (online_meeting is null)
        and (meeting_id is not null or (not lobby_closed and not removed and settings_before is null))
        and (meeting_id is null) = (agreement is null)
        and (agreed_revision is not null) = coalesce(agreement in ('at', 'check-requested', 'under-way'), false)
    ),
    constraint booking_created_by_known check (created_by in ('this-request', 'existing')),
    constraint booking_provisioned_has_meeting check (
        status not in ('provisioned', 'updating') or (meeting_id is not null and provisioned_at is not null)
    ),
    constraint booking_failed_says_why check (status <> 'failed' or last_error is not null),
    constraint booking_times_can_be_read check (
        least(
            start_at, end_at, seen_at, provisioned_at, due_at, lease_started_at, lease_until, failing_since, created_at, updated_at
        ) >= '0001-01-01 00:00:00+00'
        and greatest(
            start_at, end_at, seen_at, provisioned_at, due_at, lease_started_at, lease_until, failing_since, created_at, updated_at
        ) < '10000-01-01 00:00:00+00'
    )
);

create index booking_due on booking (due_at) where due_at is not null;
create unique index booking_meeting_unique on booking (meeting_id) where meeting_id is not null;
create index booking_listing on booking (created_at, external_id);
create index booking_listing_by_source_system on booking (source_system, created_at, external_id);
create index booking_to_compare on booking (end_at, external_id, seen_at)
    where status = 'provisioned' and (due_at is null or agreement = 'under-way');
create index booking_failed on booking (created_at, external_id) where status = 'failed';
create index booking_failing on booking (created_at, external_id) where failing_since is not null;
create index booking_by_update on booking (updated_at);
create index booking_parked_by_organizer on booking (organizer_id, parked_for) where parked_for is not null;
create index booking_parked_by_name on booking (lower(organizer), parked_for)
    where parked_for is not null and organizer_id is null;

comment on table booking is
    'One row for each generation of a booking: what is wanted, what was observed at Graph, and what is due. Rows are never deleted.';
comment on column booking.source_system is 'The system that sent the booking, by its name in the API keys.';
comment on column booking.booking_id is 'The booking''s id in its source system.';
comment on column booking.generation is
    'Counts from 1. A booking that is booked again after a cancel, or moves to another organizer, is the next generation.';
comment on column booking.external_id is
    'The externalId sent to Graph, derived from tenant, source system, booking id and generation: one meeting for each.';
comment on column booking.revision is 'Rises with every change that a caller can see; the ETag.';
comment on column booking.status is 'The state in one word. It follows from the other columns and is kept for searches.';
comment on column booking.wanted is 'The booking as accepted, as JSON; times to 100 ns.';
comment on column booking.wanted_revision is 'Rises whenever something else is wanted.';
comment on column booking.desired_state is 'Whether there should be a meeting: present or cancelled.';
comment on column booking.sequence is 'The sequence of the latest message of the source system, where it sends one. wanted has it with its dtstamp.';
comment on column booking.organizer is
    'The organizer as the caller last wrote it: an object id, or a user principal name of the same user.';
comment on column booking.start_at is 'When the meeting should start, to the microsecond; wanted has it to 100 ns.';
comment on column booking.end_at is 'When the meeting should end, to the microsecond; wanted has it to 100 ns.';
comment on column booking.organizer_id is
    'The organizer''s object id. It never changes again once a meeting may exist: another organizer is another meeting.';
comment on column booking.creation_unknown is
    'Whether a createOrGet was sent whose answer was lost, so that a meeting may exist that is not known.';
comment on column booking.meeting_id is 'Graph''s id of the meeting, once it was seen.';
comment on column booking.join_web_url is 'The link by which people join, byte for byte as Graph sent it.';
comment on column booking.chat_thread_id is 'The id of the meeting''s chat, where Graph sent one.';
comment on column booking.created_by is
    'How the meeting came about: this-request (Graph answered 201) or existing (Graph answered 200).';
comment on column booking.seen is 'The compared members of the meeting as Graph last sent them, as JSON.';
comment on column booking.seen_at is 'When Graph last sent the meeting.';
comment on column booking.settings_before is
    'How the meeting had each setting that the booking has named, before it was first set, as JSON; null where there is none.';
comment on column booking.agreement is
    'Whether the meeting agrees with what is wanted: at, differs, check-requested, under-way or unknown.';
comment on column booking.agreed_revision is
    'The wanted_revision with which the meeting was brought to agree; set with the agreements at, check-requested and under-way.';
comment on column booking.lobby_closed is 'Whether the lobby is closed, the first half of a cancel.';
comment on column booking.removed is 'Whether the meeting is removed.';
comment on column booking.online_meeting is 'The whole onlineMeeting as Graph last sent it, as JSON.';
comment on column booking.provisioned_at is 'When the meeting first was as wanted.';
comment on column booking.due_at is 'Not before this time Graph is asked for something; null where nothing is due.';
comment on column booking.lease_attempt_id is
    'The attempt under way. Only this attempt may settle: it is the fencing token, and Graph''s client-request-id.';
comment on column booking.lease_started_at is 'When the attempt under way was begun.';
comment on column booking.lease_until is 'When the lease ends; from then on a worker may claim the booking.';
comment on column booking.attempts is 'How many attempts are settled.';
comment on column booking.failures is 'How many attempts failed in a row.';
comment on column booking.failing_since is
    'Since when it has been failing for the same reason, or has been postponed, until a success or a retry by hand.';
comment on column booking.last_error is 'The last failure until a success, as JSON: code, time, and what Graph answered.';
comment on column booking.events is 'How many events the history of this generation has.';
comment on column booking.created_at is 'When this generation was accepted.';
comment on column booking.updated_at is 'When the row last changed for a caller; opening a lease does not count.';
comment on column booking.was_freed is
    'Whether a success for the organizer ever made the booking due that was parked. Forbidden again after that, it is forbidden for a reason of its own.';
comment on column booking.parked_for is
    'For which reason the booking is parked, where a success for its organizer refutes that; null otherwise. It follows from other columns and is kept for its indexes.';

comment on constraint booking_key on booking is 'A generation of a booking is one row.';
comment on constraint booking_external_id_unique on booking is 'No two generations share a name at Graph.';
comment on constraint booking_generation_from_one on booking is 'Generations count from 1.';
comment on constraint booking_revision_from_one on booking is
    'Revisions count from 1, and every change of what is wanted raises both.';
comment on constraint booking_status_known on booking is 'The six statuses.';
comment on constraint booking_desired_state_known on booking is 'The two desired states.';
comment on constraint booking_desired_state_fits_status on booking is
    'Only a booking that is to be cancelled is cancelling or cancelled; a failed one may be either.';
comment on constraint booking_ends_after_start on booking is 'No meeting ends before it starts.';
comment on constraint booking_in_progress_is_due on booking is
    'What is in progress is due, what is at rest is not; a provisioned booking is due only while its meeting is checked.';
comment on constraint booking_lease_whole on booking is 'A lease has an attempt, a beginning and an end, or none of them.';
comment on constraint booking_lease_only_while_due on booking is 'Only what is due is worked on.';
comment on constraint booking_meeting_whole on booking is
    'Everything that is known of a meeting is there, or nothing; an agreed revision stands beside the agreements that have one.';
comment on constraint booking_created_by_known on booking is 'The two ways in which a meeting comes about.';
comment on constraint booking_provisioned_has_meeting on booking is
    'What is provisioned, or updated, has a meeting and has had it as wanted.';
comment on constraint booking_failed_says_why on booking is 'A failed booking says what failed.';
comment on constraint booking_times_can_be_read on booking is
    'Every time lies in the years 1 to 9999, which the service can read; infinity, written by a hand, would end each replica that reads it.';

comment on index booking_due is 'Claims: what is due, longest due first.';
comment on index booking_meeting_unique is 'One meeting belongs to one booking, and can be found by its id.';
comment on index booking_listing is 'The order of every list of bookings.';
comment on index booking_listing_by_source_system is
    'The list that one source system sees, which may have few bookings beside one that has very many.';
comment on index booking_to_compare is
    'The comparing rounds: meetings still to come, at rest, that Graph has not told of for long.';
comment on index booking_failed is 'What an operator has to look after, in the order of the lists.';
comment on index booking_failing is
    'What has been tried again for long, in the order of the lists, without reading what is settled.';
comment on index booking_by_update is 'What has changed lately, which may have been booked long ago.';
comment on index booking_parked_by_organizer is
    'Bookings parked for a reason that a success for their organizer refutes; every settlement that went well looks here.';
comment on index booking_parked_by_name is
    'The same where the organizer''s object id is not known; every name that was resolved is looked for here.';

-- One generation of a booking with its attempt, as a statement that writes takes it: one parameter whose members are
-- named like the columns that they go to. JSON comes as text. A type is bound member by member in this order, so
-- it is never altered: see README.md.
create type booking_input as (
    source_system      text,
    booking_id         text,
    generation         integer,
    external_id        uuid,
    revision           integer,
    status             text,
    wanted             text,
    wanted_revision    integer,
    desired_state      text,
    sequence           integer,
    organizer          text,
    start_at           timestamptz,
    end_at             timestamptz,
    organizer_id       uuid,
    creation_unknown   boolean,
    meeting_id         text,
    join_web_url       text,
    chat_thread_id     text,
    created_by         text,
    seen               text,
    seen_at            timestamptz,
    settings_before    text,
    agreement          text,
    agreed_revision    integer,
    lobby_closed       boolean,
    removed            boolean,
    provisioned_at     timestamptz,
    due_at             timestamptz,
    lease_attempt_id   uuid,
    lease_started_at   timestamptz,
    lease_until        timestamptz,
    attempts           integer,
    failures           integer,
    failing_since      timestamptz,
    last_error         text,
    created_at         timestamptz,
    updated_at         timestamptz
);
comment on type booking_input is
    'One generation of a booking with its attempt, as a statement takes it in one parameter. Never altered.';

-- An attempt that is opened.
create type attempt_input as (
    id           uuid,
    started_at   timestamptz,
    leased_until timestamptz
);
comment on type attempt_input is 'An attempt that is opened, as a statement takes it in one parameter. Never altered.';
