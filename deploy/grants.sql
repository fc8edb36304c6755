-- What the database role of `serve` needs where another role owns the schema (database.migrate = false), and no more. Run it as
-- the owner after each `meeting-provisioner migrate`; it may be run again:
--
--   psql -v role=meeting_provisioner_service -f deploy/grants.sql "$OWNER_DATABASE_URL"
--
-- The role must exist and be able to log in; it can't be the owner, who could change the history. `meeting-provisioner doctor`
-- reads this file as it was when the program was compiled, one statement on each line, and names each privilege that is missing.

grant usage on schema public to :"role";

-- The bookings. What identifies one, and when it was accepted, never changes.
grant select on table booking to :"role";
grant insert (source_system, booking_id, generation, external_id, revision, status, wanted, wanted_revision, desired_state, sequence, organizer, start_at, end_at, creation_unknown, due_at, lease_attempt_id, lease_started_at, lease_until, events, created_at, updated_at) on table booking to :"role";
grant update (revision, status, wanted, wanted_revision, desired_state, sequence, organizer, start_at, end_at, organizer_id, creation_unknown, meeting_id, join_web_url, chat_thread_id, created_by, seen, seen_at, settings_before, agreement, agreed_revision, lobby_closed, removed, online_meeting, provisioned_at, due_at, lease_attempt_id, lease_started_at, lease_until, attempts, failures, failing_since, last_error, events, updated_at, was_freed) on table booking to :"role";

-- The history is only added to; Postgres alone says in which order and when an event was recorded.
grant select on table audit_event to :"role";
grant insert (occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id, organizer, meeting_id, actor, payload) on table audit_event to :"role";

-- What Graph asked to pause; what is over is deleted.
grant select, insert, update (paused_until), delete on table graph_pause to :"role";

-- Cancels that came before their bookings.
grant select, insert on table tombstone to :"role";
grant update (revision, sequence, dtstamp, actor, request_id, received_at) on table tombstone to :"role";

-- Which names were found to be whose.
grant select, insert on table organizer_name to :"role";

-- The replicas that run; each tells of itself, and forgets those that have gone.
grant select, insert, update (seen_at, clock_at, credential), delete on table replica to :"role";

-- How far the history reached on each timeline of the database.
grant select, insert, update (marked_transaction, marked_at) on table database_timeline to :"role";

-- Which bookings bore another organizer before.
grant select, insert on table former_organizer to :"role";

-- Which version the schema has, for doctor.
grant select on table _sqlx_migrations to :"role";

-- Postgres grants these to every role, unless that was revoked.
grant execute on function beginning_lock(text, text) to :"role";
grant execute on function tombstone_is_as_known(text, text, integer) to :"role";
grant execute on function keep_cancel(tombstone_input) to :"role";
grant execute on function retire_older_generations(text, text, integer, event_input) to :"role";
grant execute on function free_refuted(uuid, text[], text, text[], event_input) to :"role";
grant execute on function organizer_ids_of(text) to :"role";
grant execute on function organizer_names_of(text) to :"role";
grant execute on function current_timeline() to :"role";
