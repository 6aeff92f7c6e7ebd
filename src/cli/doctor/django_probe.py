"""Imports the application and tells of its settings whether DEBUG is on, and which files are SQLite databases."""

import importlib
import json
import os

importlib.import_module(os.environ["_WSGI_LAMBDA_DOCTOR_MODULE"])


def app(environ, start_response):
    from django.conf import settings

    names = {
        alias: os.fspath(database.get("NAME") or "")
        for alias, database in settings.DATABASES.items()
        if str(database.get("ENGINE", "")).endswith("sqlite3")
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"debug": bool(settings.DEBUG), "sqlite": names}).encode()]
