import os
from importlib import import_module

from a2wsgi import WSGIMiddleware
from mangum import Mangum

handler = Mangum(WSGIMiddleware(import_module(os.environ["BENCH_APP"]).application), lifespan="off")
