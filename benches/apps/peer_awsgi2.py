import os
from importlib import import_module

import awsgi2

application = import_module(os.environ["BENCH_APP"]).application
BINARY = {"application/octet-stream"}


def handler(event, context):
    return awsgi2.response(application, event, context, base64_content_types=BINARY)
