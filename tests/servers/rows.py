"""Which row of docs/servers.md a difference belongs to."""

import re

# Row, the request, the field, and where the row is about some of them the servers and the front ends.
ROWS = [
    ("proxy-header", r"with {'Proxy'", r"environ HTTP_PROXY", None, None),
    ("underscores", r"X-Under_Score", r"environ", {"uwsgi"}, None),
    ("header-bytes", r"caf", r"environ HTTP_X_A", None, None),
    ("double-slash", r"//double", r"environ PATH_INFO", {"mod_wsgi"}, None),
    ("encoded-slash", r"a%2Fb", r"environ", None, {"http-api-v1", "http-api-v2"}),
    (
        "query-rebuilt",
        r"/y\?z|\?a$|&&",
        r"environ (QUERY_STRING|url)",
        None,
        {"http-api-v1", "rest", "alb", "alb-multi", "lattice-v2"},
    ),
    ("alb-one-value", r"a=1&a=2", r"environ", None, {"alb"}),
    ("lattice-one-cookie", r"/repeated", r"header set-cookie", None, {"lattice-v2"}),
    ("content-length-0", r"without a length", r"environ CONTENT_LENGTH", None, None),
    ("head-body", r"^HEAD ", r"body", {"waitress", "uwsgi"}, None),
    ("generators-on-head", r"after HEAD /generator", r"environ ran", None, None),
    ("no-content-body", r"/no-content-body", r"body", {"uwsgi"}, None),
    ("no-content-body", r"/reset-body", r"body", None, None),
    ("content-type-once", r"/types", r"header content-type", None, None),
    ("status-header", r"/status-header", r"header status|status", None, None),
    ("hop-by-hop", r"/hop", r"status|header keep-alive", None, None),
    ("more-than-announced", r"/too-long", r"body", {"uwsgi"}, None),
    (
        "strict-headers",
        r"/(newline|number|bad-length|list-header|tuple-headers|nul|two-lengths|low-status)",
        r"status",
        None,
        None,
    ),
    ("bare-status", r"/bad-status", r"status", {"mod_wsgi"}, None),
    ("second-start", r"/twice", r"status", {"mod_wsgi", "uwsgi"}, None),
    ("broken-applications", r"/(not-bytes|bytearray|none|no-start|raise|raise-first|exit)", r"status", None, None),
    ("close-after-error", r"after HEAD /length", r"environ", {"uwsgi"}, None),
]


# What a front end does on the way, which `serve` shows and events do not: row, request, field, front ends.
ON_THE_WAY = [
    ("lattice-scheme", r"/environ", r"environ wsgi\.url_scheme", {"lattice-v2"}),
    ("response-header-bytes", r"/latin1", r"header x-text", None),
    ("http-api-length", r"(GET|DELETE|OPTIONS) /environ", r"environ CONTENT_LENGTH", {"http-api-v1", "http-api-v2"}),
    ("query-order", r"b=1&a=2", r"environ (QUERY_STRING|url)", {"http-api-v1", "rest", "alb", "alb-multi"}),
]


def row_of(title, field, mine, theirs, server, front_end, served=False):
    """The row's name; None for a difference that nothing explains."""
    on_the_way = [(row, titles, fields, None, front_ends) for row, titles, fields, front_ends in ON_THE_WAY]
    for row, titles, fields, servers, front_ends in ROWS + (on_the_way if served else []):
        about = (servers is None or server in servers) and (front_ends is None or front_end in front_ends)
        if about and re.search(titles, title) and re.match(rf"(?:{fields})", field):
            return row
    return None
