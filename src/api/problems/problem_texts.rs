//! The texts of each problem: its code and title, what it means and what to do.

/// One problem of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemTexts {
    /// The code.
    pub(crate) code: &'static str,
    /// HTTP status.
    pub(crate) status: u16,
    /// Whether the same request may succeed later without anyone doing anything.
    pub(crate) retryable: bool,
    /// A short title.
    pub(crate) title: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) what_to_do: &'static str,
}

pub(super) const INVALID_REQUEST: ProblemTexts = ProblemTexts {
    code: "invalid-request",
    status: 400,
    retryable: false,
    title: "The request can't be read",
    meaning: "The body is not JSON, or a query parameter is unknown, appears twice or has a value that can't be \
              read. Nothing was done.",
    what_to_do: "Correct what `detail` and `errors` name. A cursor belongs to the filters with which it was \
                 given: send them again with it.",
};
pub(super) const INVALID_BOOKING: ProblemTexts = ProblemTexts {
    code: "invalid-booking",
    status: 422,
    retryable: false,
    title: "The booking is not valid",
    meaning: "The body is JSON, but not a valid booking. `errors` lists all faults at once, each with the JSON \
              Pointer of its member; of very many it lists the first, and `detail` says so. Nothing was stored.",
    what_to_do: "Correct every member that `errors` names and send the booking again, under the same bookingId.",
};
pub(super) const CURSOR_OUTDATED: ProblemTexts = ProblemTexts {
    code: "cursor-outdated",
    status: 410,
    retryable: false,
    title: "The cursor is one of an earlier history",
    meaning: "The database of this service was restored to an earlier moment, moved, or failed over to another server since the \
              cursor was given. Events that you have read since may be gone, and others may have their ids, so going on from \
              the cursor would pass over events.",
    what_to_do: "Begin again without the cursor: with `from` and the time in `detail`, or, where `detail` names none, a time \
                 before the restore. Replace what you have kept of the events from then on, and don't tell them apart from \
                 the new ones by `eventId`.",
};
pub(super) const UNAUTHENTICATED: ProblemTexts = ProblemTexts {
    code: "unauthenticated",
    status: 401,
    retryable: false,
    title: "A valid credential is required",
    meaning: "The request carries no credential, or one that is not valid here. The answer does not say which.",
    what_to_do: "Send the header `Authorization: Bearer <credential>` with the API key that the operator of this service \
                 gave you, or with a fresh token of the OpenID provider that the operator named. If a key was replaced, use \
                 the new one; a token must be for this service (its audience) and not have expired.",
};
pub(super) const FORBIDDEN: ProblemTexts = ProblemTexts {
    code: "forbidden",
    status: 403,
    retryable: false,
    title: "Your role does not allow this",
    meaning: "The credential is valid, but none of its roles allows this call.",
    what_to_do: "Ask the operator of this service for the role: `bookings.write` to create, change, cancel and \
                 retry bookings, `bookings.read` to read them, `audit.read` to read the history of all source systems, \
                 `operator` to retry bookings of other source systems and to see their join links.",
};
pub(super) const ORGANIZER_NOT_ALLOWED: ProblemTexts = ProblemTexts {
    code: "organizer-not-allowed",
    status: 403,
    retryable: false,
    title: "Your source system may not act for this organizer",
    meaning: "The operator of this service says on whose behalf each source system may act: users by object id or by name, and \
              domains. The organizer is compared as you write it: an object id is allowed only where that id is, or every \
              organizer; a name where the name is, its domain, or every organizer. Nothing was stored.",
    what_to_do: "Write the organizer in the form that is allowed, or ask the operator of this service to add it to `organizers` \
                 of your source system.",
};
pub(super) const MEMBER_NOT_ALLOWED: ProblemTexts = ProblemTexts {
    code: "member-not-allowed",
    status: 403,
    retryable: false,
    title: "Your source system may not have this booking like that",
    meaning: "The operator of this service has fixed a meeting setting that the booking names otherwise, or allows your source \
              system no meetings in channels. `errors` names each member. Nothing was stored.",
    what_to_do: "Leave the members out that `errors` names, or ask the operator of this service.",
};
pub(super) const NOT_FOUND: ProblemTexts = ProblemTexts {
    code: "not-found",
    status: 404,
    retryable: false,
    title: "There is no such path or booking",
    meaning: "The path or the booking does not exist, or the booking belongs to another source system. The answer \
              does not say which.",
    what_to_do: "Check the path, the bookingId (percent-encoded) and the credential's source system. A booking \
                 that was never accepted can be sent with POST /v1/bookings.",
};
pub(super) const BOOKING_DIFFERS: ProblemTexts = ProblemTexts {
    code: "booking-differs",
    status: 409,
    retryable: false,
    title: "The booking exists with other content",
    meaning: "A booking with this bookingId exists, and it differs in the fields that `differences` lists. POST \
              creates or gets; it never changes an existing meeting. The existing booking is unchanged. Another name of \
              the same organizer is no difference; where other fields differ it is not looked up.",
    what_to_do: "To repeat a request, send the same content as the first time. To change the booking, send it with \
                 PUT /v1/bookings/{bookingId}. A meeting can't move to another channel: for that, cancel the booking \
                 and book it again.",
};
pub(super) const BOOKING_CANCELLED: ProblemTexts = ProblemTexts {
    code: "booking-cancelled",
    status: 409,
    retryable: false,
    title: "The booking was cancelled",
    meaning: "A booking with this bookingId exists and was cancelled, before this request or while it waited. POST \
              does not book it again.",
    what_to_do: "To book it again, with a new meeting and a new link, send it with PUT /v1/bookings/{bookingId}.",
};
pub(super) const STALE_SEQUENCE: ProblemTexts = ProblemTexts {
    code: "stale-sequence",
    status: 409,
    retryable: false,
    title: "A newer message was applied before",
    meaning: "The message is older than the last one about this booking: by its sequence (RFC 5545), or, where that \
              doesn't decide, by its dtstamp. Or the booking was cancelled, and the message is not newer than the \
              cancel. It was ignored, so that it undoes nothing; `detail` says which key decided, with both values.",
    what_to_do: "Nothing, if the message was late. Otherwise send the booking with a sequence above the one in \
                 `booking.sequence`, or with the same one and a dtstamp after the one in `booking.dtstamp`.",
};
pub(super) const ORGANIZER_IMMUTABLE: ProblemTexts = ProblemTexts {
    code: "organizer-immutable",
    status: 409,
    retryable: false,
    title: "The organizer of a meeting can't change",
    meaning: "Another organizer means another meeting with another join link. The booking is unchanged. Another name, or \
              the object id, of the same person is no other organizer.",
    what_to_do: "If you want that, send the same request with `?organizerChange=replace`: the booking gets a meeting \
                 of the other organizer, and then the old one is removed.",
};
pub(super) const NOTHING_TO_RETRY: ProblemTexts = ProblemTexts {
    code: "nothing-to-retry",
    status: 409,
    retryable: false,
    title: "There is nothing to retry",
    meaning: "The booking has not failed, doesn't wait for its next attempt, and its meeting was not seen to differ from it \
              in anything that Graph can change. It is unchanged.",
    what_to_do: "Nothing, if the meeting is what `booking` says. If it was changed in Teams since it was last seen, POST \
                 /v1/bookings/{bookingId}/check; if something else is wanted, change the booking with PUT \
                 /v1/bookings/{bookingId}.",
};
pub(super) const REVISION_MISMATCH: ProblemTexts = ProblemTexts {
    code: "revision-mismatch",
    status: 412,
    retryable: false,
    title: "The booking is not as your request says",
    meaning: "The booking does not stand as the header If-Match or If-None-Match says. Nothing was done. The answer's ETag \
              is that of the booking as it stands, if there is one.",
    what_to_do: "Read `booking`, or get the booking again, and repeat the request with its ETag if you still want it.",
};
pub(super) const BODY_TOO_LARGE: ProblemTexts = ProblemTexts {
    code: "body-too-large",
    status: 413,
    retryable: false,
    title: "The body is too large",
    meaning: "A body may have at most 256 KiB: 1,000 attendees with up to 250 bytes each.",
    what_to_do: "Send a smaller body. The rest of this one is not read, so the connection may be closed.",
};
pub(super) const BODY_TOO_SLOW: ProblemTexts = ProblemTexts {
    code: "body-too-slow",
    status: 408,
    retryable: true,
    title: "The body did not arrive in time",
    meaning: "The head of the request arrived, but its body was not complete within the time limit. Nothing was done.",
    what_to_do: "Send the request again. If it happens again, check the network between you and this service.",
};
pub(super) const UNSUPPORTED_MEDIA_TYPE: ProblemTexts = ProblemTexts {
    code: "unsupported-media-type",
    status: 415,
    retryable: false,
    title: "The body must be JSON",
    meaning: "The body is not declared as JSON in UTF-8, or it is compressed.",
    what_to_do: "Send `Content-Type: application/json`, and no Content-Encoding.",
};
pub(super) const NOT_ACCEPTABLE: ProblemTexts = ProblemTexts {
    code: "not-acceptable",
    status: 406,
    retryable: false,
    title: "No acceptable media type",
    meaning: "The header Accept allows none of the media types in which this can be answered.",
    what_to_do: "Send `Accept: application/json`, or leave the header out.",
};
pub(super) const METHOD_NOT_ALLOWED: ProblemTexts = ProblemTexts {
    code: "method-not-allowed",
    status: 405,
    retryable: false,
    title: "Method not allowed",
    meaning: "The path exists, but not with this method.",
    what_to_do: "Use one of the methods in the header Allow.",
};
pub(super) const ORGANIZER_NOT_FOUND: ProblemTexts = ProblemTexts {
    code: "organizer-not-found",
    status: 422,
    retryable: false,
    title: "Microsoft Graph knows no such organizer",
    meaning: "There is no user with this object id or user principal name in the tenant. A user who was made moments ago \
              may not be known everywhere, so this service asked again for three minutes; meanwhile the answer was 202, \
              with this code in `lastError`. Now the booking is stored as failed; a repeat gets the same answer without \
              another call to Graph. Where `detail` says that the booking has another name for its organizer, it is \
              unchanged.",
    what_to_do: "Check the organizer: an object id or user principal name of a user in this tenant who is not \
                 deleted. To correct it, send the booking with the right organizer by PUT.",
};
pub(super) const ORGANIZER_NOT_PERMITTED: ProblemTexts = ProblemTexts {
    code: "organizer-not-permitted",
    status: 422,
    retryable: false,
    title: "No access policy allows meetings for this organizer",
    meaning: "Teams lets an application make meetings on behalf of a user only after an administrator granted an \
              application access policy, which takes up to 30 minutes to take effect. This service retried for that \
              time; the booking is stored as failed.",
    what_to_do: "Have a Teams administrator run the commands in `remedy`. The booking is tried again when another one \
                 for the same organizer succeeds, when it is changed with PUT, or when you or an operator retry it.",
};
pub(super) const GRAPH_REFUSED: ProblemTexts = ProblemTexts {
    code: "graph-refused",
    status: 422,
    retryable: false,
    title: "Microsoft Graph refuses the request",
    meaning: "Graph says that the request itself is wrong or forbidden, doesn't find what it is about, or didn't take it \
              for a while without saying why; its answer is in `graph`, whose `code` and `message` may be missing. The \
              booking is stored as failed; a repeat gets the same answer without another call to Graph. Where `detail` \
              says that the booking has another name for its organizer, Graph refused to look a name up, and the booking \
              is unchanged.",
    what_to_do: "Read `detail` and `remedy`. Microsoft support asks for graph.requestId, graph.clientRequestId and \
                 graph.date.",
};
pub(super) const GRAPH_UNAUTHORIZED: ProblemTexts = ProblemTexts {
    code: "graph-unauthorized",
    status: 502,
    retryable: false,
    title: "This service's own credential is refused",
    meaning: "Microsoft refuses the credential with which this service signs in. Nothing is wrong with the \
              booking, which is stored.",
    what_to_do: "Tell the operator of this service, who finds in `remedy` what to check: a secret or \
                 certificate that has expired or is wrong, an unknown application, missing consent.",
};
pub(super) const GRAPH_UNAVAILABLE: ProblemTexts = ProblemTexts {
    code: "graph-unavailable",
    status: 503,
    retryable: true,
    title: "Microsoft Graph is unavailable",
    meaning: "Graph could not be reached, did not answer, or takes no calls now. A stored booking is retried by this \
              service and answers 202, not this. This says that the request has another name for the organizer than the \
              booking, and that Graph didn't tell whose it is: nothing was changed.",
    what_to_do: "Send the same request again after the time in Retry-After; it can't make a second meeting.",
};
pub(super) const ISSUER_UNAVAILABLE: ProblemTexts = ProblemTexts {
    code: "issuer-unavailable",
    status: 503,
    retryable: true,
    title: "The token can't be checked now",
    meaning: "The request carries a token of an OpenID provider whose keys this service can't fetch now, so it is not known \
              whether the token is valid. Nothing was done. API keys are not affected.",
    what_to_do: "Send the same request again after the time in Retry-After. If it stays so, tell the operator of this \
                 service that the provider can't be reached from there.",
};
pub(super) const RATE_LIMITED: ProblemTexts = ProblemTexts {
    code: "rate-limited",
    status: 429,
    retryable: true,
    title: "Too many requests a second",
    meaning: "Your source system may send a number of requests a second to each replica, and more at once after a pause. The \
              headers RateLimit-Policy and RateLimit of every answer say how many, and how many are left. This request was \
              refused before its body was read.",
    what_to_do: "Send the same request again after the time in Retry-After; it can't make a second meeting. Send fewer at once.",
};
pub(super) const BOOKINGS_PER_DAY_EXCEEDED: ProblemTexts = ProblemTexts {
    code: "bookings-per-day-exceeded",
    status: 429,
    retryable: true,
    title: "No more bookings today",
    meaning: "Your source system has stored as many new bookings today (UTC) as it may; a booking that is booked again counts as \
              one, too. Nothing was stored. Bookings that are known are answered, changed and cancelled as ever.",
    what_to_do: "Look for a fault that books over and over. If the bookings are meant, ask the operator of this service for more; \
                 otherwise send the request again after the time in Retry-After, which is when the next day begins.",
};
pub(super) const STORE_UNAVAILABLE: ProblemTexts = ProblemTexts {
    code: "store-unavailable",
    status: 503,
    retryable: true,
    title: "The database can't be reached",
    meaning: "This service stores bookings in a database that can't be reached now. Whether this request was stored \
              is unknown.",
    what_to_do: "Send the same request again after the time in Retry-After; it can't make a second meeting.",
};
pub(super) const OVERLOADED: ProblemTexts = ProblemTexts {
    code: "overloaded",
    status: 503,
    retryable: true,
    title: "Too many requests at once",
    meaning: "This replica answers as many requests at once as it can, or as many of your source system as it may; \
              detail says which. This one was refused, as a rule before its body was read; what was accepted is found \
              again.",
    what_to_do: "Send the same request again after the time in Retry-After, and wait longer each time it is refused; \
                 it can't make a second meeting.",
};
pub(super) const INTERNAL_ERROR: ProblemTexts = ProblemTexts {
    code: "internal-error",
    status: 500,
    retryable: true,
    title: "A fault of this service",
    meaning: "Something happened in this service that should not. Its log says what, under `requestId`.",
    what_to_do: "Send the same request again: what became of it is unknown, and again does no harm. If it stays so, tell the \
                 operator of this service the requestId.",
};
