"""Rules between members, which JSON Schema can't say: made-up requests are brought into line with them."""

from datetime import datetime, timedelta
from urllib.parse import unquote

import schemathesis


def a_time(text):
    try:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00")) if isinstance(text, str) else None
    except ValueError:
        return None


@schemathesis.hook
def map_query(context, query):
    # A cursor is opaque: one that is made up belongs to no list.
    if query:
        query.pop("cursor", None)
    return query


@schemathesis.hook
def map_case(context, case):
    body = case.body
    if not isinstance(body, dict):
        return case
    start, end = a_time(body.get("startDateTime")), a_time(body.get("endDateTime"))
    # The end comes after the start, by at most 400 days.
    if start and end and start.tzinfo and end.tzinfo:
        body["endDateTime"] = (start + timedelta(hours=1)).isoformat()
    # Two attendees are two people.
    attendees = body.get("attendees")
    if isinstance(attendees, list):
        seen, kept = set(), []
        for person in attendees:
            upn = person.get("upn") if isinstance(person, dict) else None
            folded = upn.lower() if isinstance(upn, str) else None
            if folded is None or folded not in seen:
                kept.append(person)
            seen.add(folded)
        body["attendees"] = kept
    # A body that names the booking names the one of its path.
    path_id = (case.path_parameters or {}).get("bookingId")
    if isinstance(path_id, str) and isinstance(body.get("bookingId"), str):
        body["bookingId"] = unquote(path_id)
    return case
