-- On which timelines this database has run. After a restore to an earlier moment, and after a failover, Postgres counts a new
-- timeline, and gives transaction ids and event ids out again that others got before: who follows the history from a place on
-- another timeline would pass over events. Replicas mark twice a minute how far the history certainly reached; what lies before
-- the last mark of a timeline is part of every timeline that follows.
create table database_timeline (
    system_identifier  bigint      not null,
    timeline_id        integer     not null,
    marked_transaction xid8        not null,
    marked_at          timestamptz not null,

    constraint database_timeline_key primary key (system_identifier, timeline_id)
);

comment on table database_timeline is 'The timelines on which this database has run, each with the last mark of how far its history reached.';
comment on column database_timeline.system_identifier is 'The cluster, as pg_control_system() names it.';
comment on column database_timeline.timeline_id is 'Postgres''s number of the timeline.';
comment on column database_timeline.marked_transaction is 'Every transaction before this one had ended when the mark was written.';
comment on column database_timeline.marked_at is 'When the mark was written last.';
comment on constraint database_timeline_key on database_timeline is 'One mark for each timeline.';

-- The timeline on which this server runs; nothing where Postgres does not say: on a standby, and where a provider has closed these
-- functions.
create function current_timeline(out system_identifier bigint, out timeline_id integer)
language plpgsql stable as $$
begin
    select control.system_identifier into system_identifier from pg_control_system() as control;
    timeline_id := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
exception
    when insufficient_privilege or object_not_in_prerequisite_state or feature_not_supported or undefined_function then
        system_identifier := null;
        timeline_id := null;
end
$$;
comment on function current_timeline() is 'The cluster and the timeline on which this server runs; nulls where Postgres does not say.';
