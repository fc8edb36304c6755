-- Whose calls to Graph are to wait, and until when: `application` or `organizer:<object id>`. Every replica heeds it.
create table graph_pause (
    scope        text        not null,
    paused_until timestamptz not null,

    constraint graph_pause_key primary key (scope)
);
