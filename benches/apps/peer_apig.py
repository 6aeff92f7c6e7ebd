import os
from importlib import import_module

from apig_wsgi import make_lambda_handler

handler = make_lambda_handler(import_module(os.environ["BENCH_APP"]).application, binary_support=True)
