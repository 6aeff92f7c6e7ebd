"""The context object of an invocation, and what is prepared for each."""

import os
import sys
import time

import _wsgi_lambda_logs as logs
import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams

# The attributes that are the same in every context object, by name.
_function = {}


def set_function(function):
    """Sets the platform's description of the function, a dict, for every context object."""
    _function.update(function)


class Identity:
    """The Cognito identity of the caller; both attributes are None without one."""

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return state.show(self)


class LambdaContext:
    """The context object of the managed Python runtime (docs, "Using the Lambda context object ... in Python")."""

    def __init__(self, function, aws_request_id, deadline_ms, invoked_function_arn, tenant_id, client, identity):
        vars(self).update(function)
        self.aws_request_id = aws_request_id
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self._w3c, self.client_context = (
            state.deferred("client_context").client_context(client) if client else (None, None)
        )
        self.identity = Identity(state.deferred("client_context").cognito_identity(identity) if identity else {})
        self._epoch_deadline_time_in_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        """Returns the milliseconds until the platform ends this invocation, never negative."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        """Writes to the function's log."""
        sys.stdout.write(str(message))

    def w3c(self):
        """Returns the caller's W3C trace context: a dict of traceparent, tracestate and baggage."""
        return self._w3c if isinstance(self._w3c, dict) else {}

    def __repr__(self):
        return state.show(self)


def begin_invocation(request_id, deadline_ms, arn, trace_id, tenant_id, client, identity):
    """Prepares the process for one invocation and returns its context object. The deadline is in milliseconds since
    1970; `client` and `identity` are the texts of the invocation's headers, or None."""
    state.leave_signals()
    state.serving = True
    state.request_id = request_id
    state.tenant_id = tenant_id
    streams.repair()
    logs.hide_events()
    # X-Ray and OpenTelemetry read os.environ, which is a copy of the process's environment. `put_trace_id` (`ffi.rs`)
    # has set the latter already and says why; an ordinary assignment would set both.
    if trace_id:
        try:
            os.environ._data[b"_X_AMZN_TRACE_ID"] = trace_id.encode()
        except AttributeError:  # the application has replaced os.environ
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]
    return LambdaContext(_function, request_id, deadline_ms, arn, tenant_id, client, identity)
