-- Bookings with their history, two events each, as years of work leave them: most are provisioned, few of anything else. A third
-- are one organizer's. `:bookings` is their number.
-- One loop round is one transaction, as large as a busy second's.
do $$
declare
    first bigint;
    bookings constant bigint := :bookings;
    at_once constant bigint := 500;
    until constant timestamptz := date_trunc('second', now());
begin
    for first in select generate_series(0, bookings - 1, at_once) loop
        with numbered as (
            select n, until - (bookings - n) * interval '3 seconds' as accepted_at,
                md5('externalId' || n)::uuid as external_id,
                case when n % 1000 = 7 then 'small' when n % 10 = 0 then 'hr' else 'crm' end as source_system,
                case when n % 3 = 0 then 0 else 1 + n % (bookings / 500) end as person,
                case when n % 10007 = 5 then 'failed' when n % 20011 = 6 then 'pending' when n % 40 = 1 then 'cancelled'
                    else 'provisioned' end as status
            from generate_series(first, least(first + at_once, bookings) - 1) as n
        ), facts as (
            select *, status not in ('failed', 'pending') as has_meeting,
                'user' || person || '@contoso.com' as organizer,
                accepted_at + interval '1 day' * (1 + n % 60) as starts_at,
                json_build_object('code', case n % 4 when 0 then 'graph-refused' else 'organizer-not-permitted' end,
                    'at', accepted_at, 'graph', json_build_object('startedAt', accepted_at, 'durationMilliseconds', 100,
                        'status', 403)) as error
            from numbered
        ), booked as (
            insert into booking (
                source_system, booking_id, generation, external_id, revision, status, wanted, wanted_revision,
                desired_state, organizer, start_at, end_at, organizer_id, creation_unknown, meeting_id, join_web_url,
                created_by, seen, seen_at, agreement, agreed_revision, removed, online_meeting, provisioned_at, due_at,
                attempts, failures, failing_since, last_error, events, created_at, updated_at
            )
            select source_system, 'BK-' || n, 1, external_id, 2, status,
                json_build_object('organizer', json_build_object('upn', organizer), 'startDateTime', starts_at,
                    'endDateTime', starts_at + interval '1 hour', 'subject', 'Interview with candidate ' || n),
                1, case status when 'cancelled' then 'cancelled' else 'present' end, organizer, starts_at,
                starts_at + interval '1 hour', md5('person' || person)::uuid, false,
                case when has_meeting then 'MSo' || external_id end,
                case when has_meeting then 'https://teams.example/l/meetup-join/' || external_id end,
                case when has_meeting then 'this-request' end,
                case when has_meeting then json_build_object('subject', 'Interview with candidate ' || n,
                    'start', starts_at, 'end', starts_at + interval '1 hour', 'attendees', null) end,
                case when has_meeting then accepted_at end, case when has_meeting then 'at' end,
                case when has_meeting then 1 end, status = 'cancelled',
                case when has_meeting then json '{}' end,
                case when has_meeting then accepted_at + interval '1 second' end,
                case when status = 'pending' then until + interval '1 minute' end, 1,
                case when has_meeting then 0 else 1 end, case when not has_meeting then accepted_at end,
                case when not has_meeting then error end, 2, accepted_at, accepted_at + interval '1 second'
            from facts
        )
        insert into audit_event (
            occurred_at, recorded_at, event_type, outcome, source_system, booking_id, generation, number, external_id, organizer,
            meeting_id, actor, payload
        )
        select accepted_at, accepted_at, 'booking.accepted', null, source_system, 'BK-' || n, 1, 1, external_id, organizer, null,
            'api-key:' || source_system,
            json_build_object('requestId', md5('request' || n)::uuid, 'requested', json_build_object(
                'organizer', organizer, 'startDateTime', starts_at, 'subject', 'Interview with candidate ' || n
            ), 'next', json_build_object('status', 'pending'))
        from facts
        union all
        select accepted_at + interval '1 second', accepted_at + interval '1 second',
            case when status = 'failed' then 'call.refused' when status = 'pending' then 'call.throttled'
                when n % 1000003 = 9 then 'meeting.drifted' when status = 'cancelled' then 'booking.cancelled'
                else 'meeting.created' end,
            case when status = 'failed' then 'refused' when status = 'pending' then 'throttled'
                when n % 1000003 = 9 then 'seen' when status = 'provisioned' then 'created' end,
            source_system, 'BK-' || n, 1, 2, external_id, organizer,
            case when has_meeting then 'MSo' || external_id end,
            case when n % 3000017 = 8 then 'command:alice' else 'api-key:' || source_system end,
            json_build_object('requestId', md5('request' || n)::uuid, 'graph', json_build_object(
                'status', 201, 'requestId', external_id
            ), 'next', json_build_object('status', status))
        from facts;
        commit;
    end loop;
    insert into organizer_name (name, organizer_id)
    select 'user' || person || '@contoso.com', md5('person' || person)::uuid
    from generate_series(0, bookings / 500) as person;
end
$$;
