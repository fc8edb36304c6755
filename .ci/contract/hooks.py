"""What a JSON schema can't say of a request, said to schemathesis: each hook tells why.

A hook changes only what its case is not about: where a case breaks a rule on purpose, that rule stays broken.
"""

import json
import os
from datetime import datetime, timedelta
from itertools import count
from urllib.parse import quote, unquote

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation as Location
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import CoverageScenario, TestPhase

SERVICE = os.environ["SERVICE"]
SIMULATOR = os.environ["SIMULATOR"]
ORGANIZER = "1f35f2e6-9cab-44ad-8d5a-b74c14720000"
# The one whose meetings are refused where a failed booking is needed.
REFUSED_ORGANIZER = "2f35f2e6-9cab-44ad-8d5a-b74c14720001"

# A session of our own: what it sends is no case.
client = requests.Session()
client.trust_env = False
client.headers["Authorization"] = f"Bearer {os.environ['KEY']}"
numbers = count(1)


def is_about(case, location, name):
    """Whether the case breaks a rule of this parameter, as far as that can be told: then it is left as it is."""
    data = case.meta.phase.data
    if case.meta.phase.name == TestPhase.COVERAGE:
        is_missing = data.scenario == CoverageScenario.MISSING_PARAMETER
        return is_negative(case.meta.generation) and data.parameter_location == location and (
            is_missing or data.parameter in (None, name)
        )
    return location in case.meta.components and is_negative(case.meta.components[location])


def is_negative(info):
    return info.mode == GenerationMode.NEGATIVE


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if case.meta is None or case.operation.method.upper() != case.method.upper():
        return
    # Asked first: once a case is changed the tool judges anew what it is about.
    about = {
        name: is_about(case, location, name)
        for location, name in [
            (Location.QUERY, "cursor"),
            (Location.PATH, "bookingId"),
            (Location.QUERY, "sourceSystem"),
            (Location.QUERY, "generation"),
            (Location.HEADER, "If-Match"),
            (Location.HEADER, "If-None-Match"),
            (Location.BODY, "body"),
        ]
    }
    if "cursor" in (case.query or {}) and not about["cursor"]:
        # A cursor is what an answer gave: a schema can't say which texts are one. tests/blackbox follows real ones.
        del case.query["cursor"]
    if "bookingId" in (case.path_parameters or {}) and not (
        about["bookingId"] or about["sourceSystem"] or about["generation"]
    ):
        name_a_booking(case)
    if isinstance(case.body, dict) and not about["body"]:
        bring_into_line(case)
    if case.method.upper() in ("PUT", "DELETE"):
        state_a_condition(case, [name for name in ("If-Match", "If-None-Match") if not about[name]])


def name_a_booking(case):
    """A schema can't say which bookings there are: every second request is about one that is there, of the state that its
    operation is for."""
    number = next(numbers)
    if case.method.upper() == "PUT" or number % 2:
        return
    case.path_parameters["bookingId"] = quote(booking(number, fails=case.path.endswith("/retry")), safe="")
    for name in ("sourceSystem", "generation"):
        (case.query or {}).pop(name, None)


def booking(number, fails=False):
    """Makes a booking, and has Graph refuse its meeting where it is to fail."""
    booking_id = f"there-{number}"
    organizer = REFUSED_ORGANIZER if fails else ORGANIZER
    if fails:
        answer = {"error": {"code": "BadRequest", "message": "Invalid value specified for property 'subject'."}}
        fault = {
            "operation": "createOrGet",
            "organizer": organizer,
            "times": 1,
            "effect": {"kind": "respond", "status": 400, "body": json.dumps(answer)},
        }
        client.post(f"{SIMULATOR}/_simulator/faults", json=fault).raise_for_status()
    body = {"bookingId": booking_id, "organizer": organizer, "startDateTime": "2026-12-01T09:00:00Z"}
    answer = client.post(f"{SERVICE}/v1/bookings", json=body)
    expected = 422 if fails else 201
    assert answer.status_code == expected, f"{answer.status_code} {answer.text}"
    return booking_id


def state_a_condition(case, names):
    """A schema can't say which ETag a booking has, and the phase `coverage` makes headers of letters and digits whatever their
    pattern: a condition is one that holds. That the others answer 412 is in tests/blackbox."""
    headers = case.headers or {}
    stated = [name for name in names if name in headers]
    if not stated:
        return
    for name in stated:
        del headers[name]
    current = client.get(f"{SERVICE}/v1/bookings/{case.path_parameters['bookingId']}")
    if "ETag" in current.headers and "If-Match" in stated:
        headers["If-Match"] = current.headers["ETag"]
    elif "ETag" not in current.headers and "If-None-Match" in stated:
        headers["If-None-Match"] = "*"


def bring_into_line(case):
    """Rules between members: a booking ends after it starts, at most 400 days later; no attendee comes twice; a body names the
    booking of its path. And between requests: the phase `coverage` gives every booking the id of the example, so that all but
    the first would only be compared with it."""
    body = case.body
    start = body.get("startDateTime")
    if isinstance(start, str) and isinstance(body.get("endDateTime"), str):
        try:
            end = datetime.fromisoformat(start.upper()) + timedelta(hours=1)
            body["endDateTime"] = end.isoformat()
        except (ValueError, OverflowError):
            pass
    attendees = body.get("attendees")
    if isinstance(attendees, list) and all(isinstance(one, dict) for one in attendees):
        by_name = {str(one.get("upn")).lower(): one for one in attendees}
        body["attendees"] = list(by_name.values())
    is_put = case.method.upper() == "PUT"
    named = case.path_parameters["bookingId"] if is_put else body.get("bookingId")
    if case.meta.phase.name == TestPhase.COVERAGE and isinstance(named, str) and named.startswith("BK-"):
        named = f"fresh-{next(numbers)}"
        (case.path_parameters if is_put else body)["bookingId"] = named
    if is_put and isinstance(body.get("bookingId"), str):
        body["bookingId"] = unquote(named)
