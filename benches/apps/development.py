"""What one starts while developing: `python development.py MODULE PORT`."""

import importlib
import sys

application = importlib.import_module(sys.argv[1]).application
port = int(sys.argv[2])
if hasattr(application, "run"):
    application.run("127.0.0.1", port)
else:
    from wsgiref.simple_server import make_server

    make_server("127.0.0.1", port, application).serve_forever()
