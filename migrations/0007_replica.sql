-- The replicas that run, as each tells of itself twice a minute: for `doctor`, which compares them with its own settings. No act
-- depends on it.
create table replica (
    replica_id  uuid        not null,
    name        text        not null,
    process_id  integer     not null,
    version     text        not null,
    started_at  timestamptz not null,
    clock_at    timestamptz not null,
    seen_at     timestamptz not null default statement_timestamp(),
    credential  text        not null,
    settings    text        not null,

    constraint replica_key primary key (replica_id)
);

comment on table replica is
    'The replicas that run, as each tells of itself. A row goes when its replica stops, or a day after it was killed.';
comment on column replica.replica_id is 'The replica, for as long as it runs.';
comment on column replica.name is 'The name of its machine, as its log lines bear it.';
comment on column replica.process_id is 'Its process on that machine.';
comment on column replica.version is 'The version of the program.';
comment on column replica.started_at is 'When it started, by its own clock.';
comment on column replica.clock_at is 'What its own clock said at seen_at.';
comment on column replica.seen_at is 'When it last told of itself, by the clock of the database.';
comment on column replica.credential is
    'The first 8 hexadecimal digits of a hash of the credential that it holds: equal where the credentials are, and no way back.';
comment on column replica.settings is 'The first 8 hexadecimal digits of a hash of those of its settings that are the same for all replicas.';
comment on constraint replica_key on replica is 'One row for each running replica.';
