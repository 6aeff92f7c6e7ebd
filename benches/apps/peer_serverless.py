import os
from importlib import import_module

import serverless_wsgi

application = import_module(os.environ["BENCH_APP"]).application


def handler(event, context):
    return serverless_wsgi.handle_request(application, event, context)
