-- Which names were found to be whose. A booking shows one name of its organizer; by this table the bookings of a user are
-- found under each name that any booking ever called the user by, and under the object id, without asking Graph.
create table organizer_name (
    name         text not null,
    organizer_id uuid not null,

    constraint organizer_name_key primary key (name, organizer_id)
);

create index organizer_name_by_id on organizer_name (organizer_id);
create index booking_organizer on booking (organizer_id, created_at, external_id) where organizer_id is not null;
create index booking_organizer_unresolved on booking (lower(organizer), created_at) where organizer_id is null;

comment on table organizer_name is
    'Which names were found to be whose: bookings are found by them under any name of their organizer.';
comment on column organizer_name.name is 'A user principal name in lower case.';
comment on column organizer_name.organizer_id is
    'The object id of a user whom a booking called so. A name that was given to another user later has both.';
comment on constraint organizer_name_key on organizer_name is 'A pair is kept once; found by name.';
comment on index organizer_name_by_id is 'The names of a user.';
comment on index booking_organizer is 'The bookings of a user in the order of the lists, and of them those of a period.';
comment on index booking_organizer_unresolved is
    'The few bookings whose organizer''s object id is not known yet, by the organizer as the caller wrote it, in lower case.';

-- Part of every statement that resolves a name or changes it, so that none of them can forget it.
create function keep_organizer_name() returns trigger language plpgsql as $$
begin
    insert into organizer_name (name, organizer_id) values (lower(new.organizer), new.organizer_id)
    on conflict do nothing;
    return null;
end
$$;
comment on function keep_organizer_name() is 'Keeps that a name is that of a user.';
create trigger booking_organizer_name after update of organizer, organizer_id on booking
    for each row
    when (
        new.organizer_id is not null and position('@' in new.organizer) > 0
        and (new.organizer, new.organizer_id) is distinct from (old.organizer, old.organizer_id)
    )
    execute function keep_organizer_name();
comment on trigger booking_organizer_name on booking is 'Keeps under which names each organizer was known.';

-- An organizer that was corrected: the events from before still name the wrong one, and are found by it.
create table former_organizer (
    name          text    not null,
    source_system text    not null,
    booking_id    text    not null,
    generation    integer not null,

    constraint former_organizer_key primary key (name, source_system, booking_id, generation)
);

comment on table former_organizer is
    'Which bookings bore another organizer before, and which: their events are found by both.';
comment on column former_organizer.name is 'The organizer as the caller wrote it then, in lower case.';
comment on column former_organizer.source_system is 'The booking''s source system.';
comment on column former_organizer.booking_id is 'The booking''s id in its source system.';
comment on column former_organizer.generation is 'The booking''s generation.';
comment on constraint former_organizer_key on former_organizer is 'Kept once; found by name.';

create function keep_former_organizer() returns trigger language plpgsql as $$
begin
    insert into former_organizer (name, source_system, booking_id, generation)
    values (lower(old.organizer), old.source_system, old.booking_id, old.generation)
    on conflict do nothing;
    return null;
end
$$;
comment on function keep_former_organizer() is 'Keeps that a booking bore another organizer.';
create trigger booking_former_organizer after update of organizer on booking
    for each row
    when (lower(new.organizer) <> lower(old.organizer))
    execute function keep_former_organizer();
comment on trigger booking_former_organizer on booking is 'Keeps which organizers each booking bore before.';

-- Whom a search means by an object id or a name. No call to Graph is needed, and a former name is as good as the present
-- one. Searches call both in a subquery, or they would be called for each row.
create function organizer_ids_of(id_or_name text) returns uuid[] language sql stable as $$
    select case
        when id_or_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then array[id_or_name::uuid]
        else array(select organizer_id from organizer_name where name = lower(id_or_name))
    end
$$;
comment on function organizer_ids_of(text) is
    'The users whom an object id or a name means: of a name that was given to another user both, of an unknown one none.';

create function organizer_names_of(id_or_name text) returns text[] language sql stable as $$
    with users as (
        select unnest(organizer_ids_of(id_or_name)) as id
    )
    select array(
        select lower(id_or_name)
        union select id::text from users
        union select name from organizer_name where organizer_id in (select id from users)
    )
$$;
comment on function organizer_names_of(text) is
    'How bookings whose organizer''s object id is not known yet may call the users of organizer_ids_of: in lower case, the object ids among them.';
