-- What the worker asks for: little, and often.
create index booking_due on booking (due_at) where due_at is not null;
-- One meeting belongs to one booking, and can be found by its id.
create unique index booking_meeting_unique on booking (meeting_id) where meeting_id is not null;
-- The order of every list.
create index booking_listing on booking (created_at, external_id);
-- What an operator looks for at night.
create index booking_failed on booking (updated_at) where status = 'failed';
