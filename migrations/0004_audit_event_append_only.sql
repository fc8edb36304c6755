-- Events are facts of the past. Nobody changes them, not even by accident.
create function audit_event_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are append-only: % refused', tg_op using errcode = 'restrict_violation';
end
$$;
create trigger audit_event_append_only before update or delete or truncate on audit_event
    for each statement execute function audit_event_is_append_only();
