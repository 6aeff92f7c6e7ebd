"""The project that was written for Zappa, twice: in Zappa's own handler and in the runtime, each with services around it."""

import base64
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from handler import Handler

from aws import Services, start_moto
from ours import Failed, Served, environment

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "zappa"
DOMAIN = "shop.example.com"


def digests(folder):
    """The project's files, by name: no line of them may change."""
    ours = {"db.sqlite3", "zappa_settings.py", "lambda_events.py"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name not in ours
    }


class Side:
    """The project in a folder, with a database and the services around it."""

    def __init__(self, name, folder, moto, close):
        self.folder = Path(folder) / name
        shutil.copytree(PROJECT, self.folder, ignore=shutil.ignore_patterns("__pycache__", "db.sqlite3"))
        self.services = Services(moto, name, folder, close)
        self.database = self.folder / "db.sqlite3"
        self.variables = {**self.services.variables, "SECRET_KEY": "of the tests", "DATABASE": str(self.database)}

    def rows(self):
        """Everything in the database."""
        with sqlite3.connect(self.database) as database:
            tables = database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).fetchall()
            rows = {name: database.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name, _ in tables}
        database.close()
        # Times: of the migrations, of the login, of what the admin did.
        rows["django_migrations"] = [row[:3] for row in rows["django_migrations"]]
        rows["auth_user"] = [row[:2] + row[3:] for row in rows["auth_user"]]
        rows["django_admin_log"] = [row[:-1] for row in rows["django_admin_log"]]
        return tables, rows

    def did(self):
        """What the services have got since the last time."""
        return self.services.messages(), self.services.invoked(), self.services.posted()


class Zappa(Side):
    """Zappa's handler, with the settings that Zappa makes of zappa_settings.json."""

    def __init__(self, *arguments):
        super().__init__("theirs", *arguments)
        write_settings(self.folder)
        self.invoke = Handler(
            "zappa.handler.lambda_handler",
            self.folder,
            arguments[-1],
            **self.variables,
            AWS_LAMBDA_FUNCTION_NAME="function",
            INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT="1",
        ).invoke

    def respond(self, event):
        """Status, headers and body of Zappa's response to a request, as API Gateway reads it."""
        result = self.invoke(event)
        headers = [(name.lower(), value) for name, value in result.get("headers", {}).items()]
        if many := result.get("multiValueHeaders"):
            headers = [(name.lower(), value) for name, values in many.items() for value in values]
        headers += [("set-cookie", cookie) for cookie in result.get("cookies", [])]
        body = result.get("body") or ""
        return result["statusCode"], headers, base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()


def write_settings(folder):
    """zappa_settings.py, which Zappa puts into its package."""
    run = subprocess.run(
        [Path(sys.prefix) / "bin/zappa", "save-python-settings-file", "prod", "--output_path", "zappa_settings.py"],
        cwd=folder,
        env=environment(SECRET_KEY="of the tests"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout


class Ours(Side):
    def __init__(self, settings, *arguments, files=None):
        super().__init__("ours", *arguments)
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        self.recorded = self.folder.parent / "recorded"
        self.settings = settings
        self.close = arguments[-1]

    def start(self):
        options = ["--domain", DOMAIN, "--record", self.recorded, "--concurrency", "1"]
        self.served = Served(self.folder, {**self.variables, **self.settings}, *options)
        self.close(self.served.stop)
        self.invoke = self.served.invoke

    def request(self, *arguments, **more):
        """The response, and the event that the front end has made of the request."""
        before = set(self.recorded.glob("*.json")) if self.recorded.exists() else set()
        answer = self.served.request(*arguments, **more)
        [file] = set(self.recorded.glob("*.json")) - before
        return answer, json.loads(file.read_text())


def outcome(side, event):
    try:
        return side.invoke(event)
    except Failed as failed:
        return failed.args


class Case(unittest.TestCase):
    maxDiff = None

    def places(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name, start_moto(self.addCleanup), self.addCleanup

    def both(self, event):
        """The same event to both: outcome and rows are the same. Returns the outcome."""
        expected, found = outcome(self.zappa, event), outcome(self.ours, event)
        self.assertEqual(found, expected, self.ours.served.log()[-3000:])
        self.assertEqual(self.ours.rows(), self.zappa.rows())
        return found
