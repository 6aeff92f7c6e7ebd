"""Tests of things that no HTTP message, or not this front end's, can carry: (suites, kinds, test, reason)."""

NO_WSGI = "the test's application breaks PEP 3333 on purpose or by age, and the runtime says so"
CHUNKS = "a response is buffered: its chunks, iterable and the moment of its close() stay in the function"
NO_BARE_NAME = "the event shows `?a` as `?a=`"
BARE_NAME_KINDS = "rest http-api-v1 alb alb-multi"
ENCODED_PATH = "HTTP APIs deliver the path decoded: %2f is gone, and REQUEST_URI is a reconstruction"
EMPTY_QUERY = "no event shows a `?` without a query"
CONTROL = "HTTP field values hold no control characters and no blanks at their ends"
ONE_COOKIE = "a Lattice answer has one value for a header name"

EXCLUSIONS = [
    ("werkzeug", "*", "tests/middleware/test_lint.py::test_lint_middleware_http_headers*", NO_WSGI),
    ("werkzeug", "*", "tests/middleware/test_lint.py::test_lint_middleware_invalid_status", NO_WSGI),
    ("werkzeug", "*", "tests/test_wsgi.py::test_closing_iterator", NO_WSGI + " (str body, read back as str)"),
    ("werkzeug", "*", "tests/test_test.py::test_run_wsgi_app*", NO_WSGI + " (str body, read back as str)"),
    ("werkzeug", "http-api-v1 http-api-v2", "tests/test_test.py::test_raw_request_uri", ENCODED_PATH),
    ("werkzeug", "*", "tests/test_test.py::test_raw_request_uri", EMPTY_QUERY),
    ("werkzeug", BARE_NAME_KINDS, "tests/test_utils.py::test_append_slash_redirect*baz*", NO_BARE_NAME),
    ("webob", "*", "tests/test_exc.py::test_HTTPOk_head_of_proxied_head", NO_WSGI + " (Content-Length an int)"),
    ("webob", "*", "tests/test_request.py::TestRequest_functional::test_middleware_body", NO_WSGI + " (bytes header)"),
    ("webob", "*", "tests/test_request.py::TestRequestCommon::test_call_application_*", NO_WSGI + " (str body)"),
    ("webob", "*", "tests/test_response.py::test_location_no_open_redirect_c0_control_or_space*", CONTROL),
    ("webob", "*", "tests/test_response.py::test_response", NO_WSGI + " (str body, read back as str)"),
    ("webob", "*", "tests/test_static.py::TestFileApp::test_use_wsgi_filewrapper", CHUNKS),
    ("webob", BARE_NAME_KINDS, "tests/test_static.py::TestDirectoryApp::test_index_page", NO_BARE_NAME),
    ("webob", BARE_NAME_KINDS, "tests/test_transcode.py::test_transcode", NO_BARE_NAME),
    ("pyramid", BARE_NAME_KINDS, "*::TestPRequestCommand::test_command_with_query_string", NO_BARE_NAME),
    ("werkzeug", "lattice-v1 lattice-v2", "tests/test_test.py::test_multiple_cookies", ONE_COOKIE),
    ("webob", "lattice-v1 lattice-v2", "tests/test_client_functional.py::test_client_cookies", ONE_COOKIE),
    ("bottle", "lattice-v1 lattice-v2", "test/*cookie", ONE_COOKIE),
    ("django", BARE_NAME_KINDS, "*.RedirectTests.test_redirect_with_append_slash_and_query_string", NO_BARE_NAME),
    ("django", "*", "handlers.tests.HandlerRequestTests.test_async_streaming", CHUNKS),
    ("django", "*", "handlers.tests.SignalsTests.test_request_signals_streaming_response", CHUNKS),
    ("django", "*", "view_tests.tests.test_static.Static*.test_chunked", CHUNKS),
]
