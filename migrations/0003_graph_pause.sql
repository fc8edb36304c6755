-- Calls to Graph that have to wait because Graph asked for it. Every replica reads it and obeys.
create table graph_pause (
    scope        text        not null,
    paused_until timestamptz not null,

    constraint graph_pause_key primary key (scope),
    constraint graph_pause_can_be_read check (
        paused_until >= '0001-01-01 00:00:00+00' and paused_until < '10000-01-01 00:00:00+00'
    )
);

comment on table graph_pause is 'Calls to Graph that have to wait because Graph asked for it; every replica obeys.';
comment on column graph_pause.scope is 'Which calls wait: application, look-ups, organizer:OBJECT-ID or source-system:NAME.';
comment on column graph_pause.paused_until is 'Until when they wait.';
comment on constraint graph_pause_key on graph_pause is 'One pause for each scope.';
comment on constraint graph_pause_can_be_read on graph_pause is
    'The service can read the years 1 to 9999; infinity, written by a hand, would end each replica that reads it.';
