"""One Django project that was written for Zappa: in Zappa's own handler, and in the runtime by settings alone.

Both get the same requests and events. Status, headers, bodies, results and errors are compared, and what the database, the
queue, Lambda and the WebSocket API have got."""

import base64
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from pathlib import Path

import events
from aws import Services, start_moto
from ours import Failed, Served, command, environment

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "zappa"
# Of the eight front ends Zappa knows these.
ZAPPAS = ["function-url", "http-api", "http-api-v1", "rest", "alb", "alb-multi"]
ALL = [*ZAPPAS, "lattice", "lattice-v1"]
DOMAIN = "shop.example.com"
# What differs from run to run.
SECRETS = re.compile(rb'(csrfmiddlewaretoken" value=")[^"]+|(csrftoken=|sessionid=|messages=|expires=)[^;]+')


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
            tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
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
        self.process = subprocess.Popen(
            [sys.executable, HERE / "theirs.py", "zappa.handler.lambda_handler"],
            cwd=self.folder,
            env=environment(**self.variables, AWS_LAMBDA_FUNCTION_NAME="function", INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "zappa.log").open("w"),
            text=True,
        )
        arguments[-1](self.stop)

    def invoke(self, event):
        print(json.dumps(event), file=self.process.stdin, flush=True)
        outcome = json.loads(self.process.stdout.readline())
        if "error" in outcome:
            raise Failed(outcome["error"], outcome["message"])
        return outcome["result"]

    def respond(self, event):
        """Status, headers and body of Zappa's response to a request, as API Gateway reads it."""
        result = self.invoke(event)
        headers = [(name.lower(), value) for name, value in result.get("headers", {}).items()]
        if many := result.get("multiValueHeaders"):
            headers = [(name.lower(), value) for name, values in many.items() for value in values]
        headers += [("set-cookie", cookie) for cookie in result.get("cookies", [])]
        body = result.get("body") or ""
        return result["statusCode"], headers, base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


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
        """The same event to both: outcome, rows and calls are the same. Returns the outcome."""
        expected, found = outcome(self.zappa, event), outcome(self.ours, event)
        self.assertEqual(found, expected, self.ours.served.log()[-3000:])
        self.assertEqual(self.ours.rows(), self.zappa.rows())
        return found


class TheWholeProject(Case):
    """Zappa's own dispatch of events stays, as a function of ours: `zappa.handler` is a module like any other."""

    def setUp(self):
        places = self.places()
        self.zappa = Zappa(*places)
        settings = {"WSGI_LAMBDA_EVENT_HANDLER": "zappa.handler:lambda_handler", "WSGI_LAMBDA_WARMUP": "true"}
        self.ours = Ours({**settings, "WSGI_LAMBDA_COMMANDS": "true"}, *places)
        write_settings(self.ours.folder)
        self.ours.start()
        self.before = digests(self.ours.folder)
        self.both({"manage": "migrate --noinput"})
        self.both({"manage": "loaddata staff"})

    def tearDown(self):
        self.assertEqual(digests(self.ours.folder), self.before)
        self.assertEqual(self.before, digests(PROJECT))

    def same(self, front, method, path, headers=None, body=None):
        """A client's request to ours, and the event that it became to Zappa. Returns our response."""
        (status, found, content), event = self.ours.request(front, method, path, headers=headers, body=body)
        expected_status, expected, expected_content = self.zappa.respond(event)
        at = f"{front} {method} {path}\n{content[:500]}\n{self.ours.served.log()[-2000:]}"
        self.assertEqual(status, expected_status, at)
        self.assertEqual(SECRETS.sub(b"", content), SECRETS.sub(b"", expected_content), at)
        # What front ends add, and the length, which Zappa leaves to API Gateway.
        added = {"date", "connection", "content-length", "transfer-encoding", "server", "x-amzn-requestid"}
        added |= {"x-amzn-trace-id", "x-amz-apigw-id", "apigw-requestid", "expires"}

        def tidy(pairs):
            # A set: Zappa sends each cookie twice.
            return {(name, SECRETS.sub(b"", value.strip().encode())) for name, value in pairs if name not in added}

        found_tidy, expected_tidy = tidy(found), tidy(expected)
        if front == "alb":  # without multi-value headers Zappa sends one cookie of several
            self.assertLessEqual(expected_tidy, found_tidy, at)
            self.assertEqual({name for name, _ in found_tidy}, {name for name, _ in expected_tidy}, at)
        else:
            self.assertEqual(found_tidy, expected_tidy, at)
        return status, found, content

    def requests(self, front):
        as_json = {"Content-Type": "application/json"}
        order = json.dumps({"item": "Grüner Tee"}).encode()
        status, headers, content = self.same(front, "POST", "/orders/", as_json, order)
        self.assertEqual(status, 201, content)
        number = json.loads(content)["number"]
        self.assertEqual(self.same(front, "POST", "/orders/", as_json, b"{")[0], 400)
        found = json.loads(self.same(front, "GET", "/orders/?item=Gr%C3%BCner+Tee")[2])
        self.assertIn({"number": number, "item": "Grüner Tee", "state": "new"}, found["orders"])
        self.assertEqual(self.same(front, "GET", f"/orders/{number}/label.png")[2][:4], b"\x89PNG")
        self.assertEqual(self.same(front, "GET", "/orders")[0], 301)
        self.assertEqual(self.same(front, "GET", "/nowhere/")[0], 404)
        self.assertEqual(self.same(front, "PUT", "/orders/", as_json, b"{}")[0], 405)
        self.assertEqual(self.same(front, "POST", f"/orders/{number}/invoice/", {}, b"")[0], 202)
        self.assertEqual(self.same(front, "GET", "/broken/")[0], 500)
        told = json.loads(self.same(front, "GET", "/whoami/", {"Cookie": f"last={number}; a=b"})[2])
        self.assertEqual((told["last"], told["user"]), (str(number), ""))
        self.assertTrue(told["url"].startswith("https://shop.example.com/"), told)
        self.admin(front)
        self.assertEqual(self.same(front, "DELETE", f"/orders/{number}/")[0], 204)

    def admin(self, front):
        def cookies(pairs):
            return {value.split("=")[0]: value.split(";")[0] for name, value in pairs if name == "set-cookie"}

        def form(path, jar, **fields):
            _, headers, content = self.same(front, "GET", path, {"Cookie": "; ".join(jar.values())})
            jar |= cookies(headers)
            token = re.search(rb'csrfmiddlewaretoken" value="([^"]+)', content)[1].decode()
            body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": "; ".join(jar.values())}
            from_here = {"Origin": f"https://{DOMAIN}", "Referer": f"https://{DOMAIN}{path}"}
            status, headers, content = self.same(front, "POST", path, {**kind, **from_here}, body)
            jar |= cookies(headers)
            return status

        jar = {}
        self.assertEqual(form("/admin/login/?next=/admin/", jar, username="ada", password="wrong"), 200)
        self.assertEqual(form("/admin/login/?next=/admin/", jar, username="ada", password="open sesame"), 302)
        self.assertEqual(form("/admin/orders/order/add/", jar, item=f"from {front}", state="new"), 302)
        status, _, content = self.same(front, "GET", "/admin/orders/order/", {"Cookie": "; ".join(jar.values())})
        self.assertEqual(status, 200)
        self.assertIn(f"from {front}".encode(), content)

    def test_requests(self):
        for front in ZAPPAS:
            self.requests(front)
            self.assertEqual(self.ours.rows(), self.zappa.rows(), front)
            did = self.ours.did()
            self.assertEqual(did, self.zappa.did(), front)
            self.assertEqual((len(did[0]), len(did[1])), (1, 1), "a message in the queue, a task")


if __name__ == "__main__":
    unittest.main(verbosity=2)
