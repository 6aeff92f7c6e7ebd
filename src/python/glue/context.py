"""The invocation: the context object, and what is prepared for each."""

import os
import sys
import time

import _wsgi_lambda_logs as logs
import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams

# What is the same in every context object of the function: its attributes by name.
_function = {}


def set_function(function):
    """Takes the platform's description of the function, a dict, for every context object."""
    _function.update(function)


class Identity:
    """The Cognito identity of the caller; both are None without one."""

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return show(self)


class LambdaContext:
    """The context object of the managed Python runtime (docs, "Using the Lambda context object ... in Python")."""

    def __init__(self, function, aws_request_id, deadline_ms, invoked_function_arn, tenant_id, client, identity):
        vars(self).update(function)
        self.aws_request_id = aws_request_id
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self._w3c, self.client_context = state.load("callers").client(client) if client else (None, None)
        self.identity = Identity(state.load("callers").identity(identity) if identity else {})
        self._epoch_deadline_time_in_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        """Milliseconds until the platform ends this invocation, never negative."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        """Writes to the function's log."""
        sys.stdout.write(str(message))

    def w3c(self):
        """The caller's W3C trace context: a dict of traceparent, tracestate and baggage."""
        return self._w3c if isinstance(self._w3c, dict) else {}

    def __repr__(self):
        return show(self)


def show(instance):
    values = ", ".join(f"{name}={value!r}" for name, value in vars(instance).items() if not name.startswith("_"))
    return f"{type(instance).__name__}({values})"


def begin(new_request_id, deadline_ms, arn, trace_id, new_tenant_id, client, identity):
    """Prepares the process for one invocation and gives its context object."""
    state.leave_signals()
    state.serving = True
    state.request_id = new_request_id
    state.tenant_id = new_tenant_id
    streams.mend()
    logs.hide_events()
    # X-Ray and OpenTelemetry read os.environ, which is a copy that only Python can change. The process's environment has
    # it already (`put_trace_id`, which says why): assigning to the copy would set both.
    if trace_id:
        try:
            os.environ._data[b"_X_AMZN_TRACE_ID"] = trace_id.encode()
        except AttributeError:  # the application has put something else in its place
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]
    return LambdaContext(_function, new_request_id, deadline_ms, arn, new_tenant_id, client, identity)
