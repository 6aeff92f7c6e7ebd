"""Database connections that have died while a sandbox was frozen, with a real PostgreSQL: docs/operate.md."""

import contextlib
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import psycopg

import events
from ours import ROOT
from runtime_api import Function
from test_operate import BLOCKS, REQUEST, shown

DJANGO = """
import os
import django
from django.conf import settings

DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres",
                         "HOST": os.environ["PGHOST"]}}
SETTINGS
settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__, MIDDLEWARE=[], DATABASES=DATABASES)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

def pid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]

urlpatterns = [path("orders", lambda request: HttpResponse(str(pid())))]
app = get_wsgi_application()
"""
SQLALCHEMY = """
import os
from sqlalchemy import create_engine, text

url = "postgresql+psycopg://postgres@/postgres?host=" + os.environ["PGHOST"]
ENGINE

def app(environ, start_response):
    with engine.connect() as connection:
        body = str(connection.execute(text("SELECT pg_backend_pid()")).scalar()).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
"""


def block(beginning):
    """The block of the page that begins so."""
    [found] = [text for text in BLOCKS if text.startswith(beginning)]
    return found


def program(name):
    places = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    return shutil.which(name, path=os.pathsep.join(places))


@unittest.skipUnless(program("initdb"), "PostgreSQL is missing (apt-get install postgresql)")
class Databases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        other = {}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            other = {"user": "postgres", "group": "postgres", "extra_groups": []}
            os.chown(folder, *pwd.getpwnam("postgres")[2:4])
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **other}
        data = f"{folder}/data"
        subprocess.run([program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-N"], check=True, **quiet)
        arguments = [program("postgres"), "-D", data, "-c", "listen_addresses=", "-k", folder, "-F"]
        server = subprocess.Popen(arguments, **quiet)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.terminate)
        cls.host = folder
        os.chmod(folder, 0o755)
        for _ in range(300):
            with contextlib.suppress(psycopg.OperationalError):
                cls.admin = psycopg.connect(host=folder, user="postgres", autocommit=True)
                break
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError("PostgreSQL does not start")
        cls.addClassCleanup(cls.admin.close)

    def function(self, text, files=None, **variables):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, content in {"app.py": text, **(files or {})}.items():
            (folder / name).write_text(content)
        return Function(folder, "app.app", self.addCleanup, PGHOST=self.host, **variables)

    def close_connections(self):
        """As a database or a NAT gateway does with a connection that is unused for long."""
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL"
        self.assertIn((True,), self.admin.execute(others).fetchall())

    def survives(self, function):
        first = function.invoke(REQUEST)["body"]
        self.assertEqual(function.invoke(REQUEST)["body"], first, "the connection is kept")
        self.close_connections()
        answer = function.invoke(REQUEST)
        self.assertTrue(answer["statusCode"] == 500 or answer["body"] != first)
        return answer["statusCode"] == 200

    def test_django(self):
        kept = block('DATABASES["default"] |=')
        self.assertTrue(self.survives(self.function(DJANGO.replace("SETTINGS", kept))))
        self.assertFalse(
            self.survives(self.function(DJANGO.replace("SETTINGS", kept.replace('"CONN_HEALTH_CHECKS": True', ""))))
        )

    def test_django_in_a_function_for_events(self):
        text = DJANGO.replace("SETTINGS", block('DATABASES["default"] |='))
        jobs = shown("jobs.py") + "\n\ndef pack(message):\n    import app\n    app.pid()\n"
        batch = events.sqs("orders", '{"order": 1}')
        whole = {"batchItemFailures": [{"itemIdentifier": batch["Records"][0]["messageId"]}]}
        for checked in True, False:
            files = {"jobs.py": jobs if checked else jobs.replace("    close_old_connections()\n", "")}
            function = self.function(text, files, WSGI_LAMBDA_EVENT_HANDLER="sqs=jobs:orders")
            self.assertEqual(function.invoke(batch), {"batchItemFailures": []}, function.log())
            self.close_connections()
            for _ in range(2):
                self.assertEqual(
                    function.invoke(batch), {"batchItemFailures": []} if checked else whole, function.log()
                )
            self.assertEqual(function.invoke(REQUEST)["statusCode"], 200, "a request checks the connection")

    def test_sqlalchemy(self):
        engine = block("engine = create_engine")
        self.assertTrue(self.survives(self.function(SQLALCHEMY.replace("ENGINE", engine))))
        self.assertFalse(
            self.survives(self.function(SQLALCHEMY.replace("ENGINE", engine.replace(", pool_pre_ping=True", ""))))
        )

    def test_sqlalchemy_without_a_pool(self):
        pooled = re.search(r"`poolclass=(NullPool)`", (ROOT / "docs/operate.md").read_text())[1]
        engine = f"from sqlalchemy.pool import {pooled}\nengine = create_engine(url, poolclass={pooled})"
        function = self.function(SQLALCHEMY.replace("ENGINE", engine))
        pids = {function.invoke(REQUEST)["body"] for _ in range(3)}
        self.assertEqual(len(pids), 3, json.dumps(list(pids)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
