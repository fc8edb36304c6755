-- Whether a meeting is still what it was brought to be. `seen_at`: when Graph last told of it. `doubted`: somebody
-- wants to know how it is now; the booking stays provisioned while Graph is asked.
alter table booking
    add column seen_at timestamptz,
    drop constraint booking_in_progress_is_due,
    drop constraint booking_meeting_whole;
update booking set seen_at = updated_at where meeting_id is not null;
alter table booking
    add constraint booking_in_progress_is_due check (
        case when status = 'provisioned' then due_at is null or agreement = 'check-requested'
            else (status in ('pending', 'updating', 'cancelling')) = (due_at is not null) end
    ),
    add constraint booking_meeting_whole check (
        (meeting_id is null) = (join_web_url is null)
        and (meeting_id is null) = (created_by is null)
        and (meeting_id is null) = (seen is null)
        and (meeting_id is null) = (seen_at is null)
        and (meeting_id is null) = (online_meeting is null)
        and (meeting_id is not null or (not lobby_closed and not removed))
        and (meeting_id is null) = (agreement is null)
        and (agreed_revision is not null) = coalesce(agreement in ('at', 'check-requested'), false)
    );
