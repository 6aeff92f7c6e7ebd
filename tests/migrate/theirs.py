"""Calls a Lambda handler as AWS's Python runtime does: a JSON event a line on standard input, an outcome a line on standard
output. `python theirs.py MODULE.FUNCTION`, in the folder of the function."""

import importlib
import json
import os
import sys
import uuid


class Context:
    function_name = "shop"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop"
    memory_limit_in_mb = "512"
    log_group_name = "/aws/lambda/shop"
    log_stream_name = "stream"

    def __init__(self):
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self):
        return 29_000


def main(name):
    sys.path.insert(0, os.getcwd())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what applications print is the log
    module, _, function = name.rpartition(".")
    handler = getattr(importlib.import_module(module), function)
    for line in sys.stdin:
        try:
            outcome = {"result": handler(json.loads(line), Context())}
        except Exception as error:
            outcome = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(outcome), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
