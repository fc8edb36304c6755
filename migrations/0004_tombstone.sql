-- One row for each booking that was cancelled before it was known. Its create may still be on its way; it must make no
-- meeting unless it is newer than the cancel. Rows are never deleted, also where the booking comes to be.
create table tombstone (
    source_system text        not null,
    booking_id    text        not null,
    external_id   uuid        not null,
    revision      integer     not null,
    sequence      integer,
    dtstamp       timestamptz,
    actor         text        not null,
    request_id    text,
    received_at   timestamptz not null,

    constraint tombstone_key primary key (source_system, booking_id),
    constraint tombstone_revision_from_one check (revision >= 1),
    constraint tombstone_is_ordered check (sequence is not null or dtstamp is not null)
);

comment on table tombstone is
    'Cancels that came before their bookings: a create that is not newer makes no meeting. Rows are never deleted.';
comment on column tombstone.source_system is 'The system that sent the cancel.';
comment on column tombstone.booking_id is 'The booking''s id in its source system.';
comment on column tombstone.external_id is 'The externalId that the booking''s first generation would have, or has.';
comment on column tombstone.revision is 'Counts the cancels that were kept, and so their events (generation 0).';
comment on column tombstone.sequence is 'The sequence of the newest cancel, where it had one.';
comment on column tombstone.dtstamp is 'When the source system wrote the newest cancel, where it said so.';
comment on column tombstone.actor is 'Who sent the newest cancel: api-key:NAME or token:ISSUER:SUBJECT/APPLICATION.';
comment on column tombstone.request_id is 'The request that brought it.';
comment on column tombstone.received_at is 'When it was received, by the clock of the replica.';
comment on constraint tombstone_key on tombstone is 'One for each booking.';
comment on constraint tombstone_revision_from_one on tombstone is 'Revisions count from 1.';
comment on constraint tombstone_is_ordered on tombstone is
    'A cancel without a key can''t be told apart from an older one, and is not kept.';

-- A cancel that is kept, as the statement takes it in one parameter.
create type tombstone_input as (
    source_system  text,
    booking_id     text,
    external_id    uuid,
    known_revision integer,
    sequence       integer,
    dtstamp        timestamptz,
    request_id     text,
    event          event_input
);
comment on type tombstone_input is
    'A cancel that is kept, with the revision of the tombstone that was read and its event. Never altered.';

-- A create and a cancel of the same booking, both at once, each look for the other: the create for a tombstone, the cancel for
-- a booking. Neither sees what the other has not committed, and both would be stored. So both take a lock of this number
-- first, and hold it until their transaction ends. What is looked for then must be looked for by a statement of its own: one
-- sees what was there when it began. In a volatile function of plpgsql each statement begins anew.
create function beginning_lock(of_source_system text, of_booking_id text) returns bigint language sql immutable as $$
    select hashtextextended(of_source_system || E'\n' || of_booking_id, 0)
$$;
comment on function beginning_lock(text, text) is
    'The number of the advisory lock under which a booking begins, or a cancel of a booking that is not there is kept.';

create function tombstone_is_as_known(of_source_system text, of_booking_id text, known_revision integer)
returns boolean language plpgsql as $$
begin
    perform pg_advisory_xact_lock(beginning_lock(of_source_system, of_booking_id));
    return known_revision is not distinct from (
        select revision from tombstone where source_system = of_source_system and booking_id = of_booking_id
    );
end
$$;
comment on function tombstone_is_as_known(text, text, integer) is
    'Whether the tombstone of a booking has this revision, or is not there where that is null; under the lock of its beginning.';
