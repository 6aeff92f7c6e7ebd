"""A Flask application that was written for serverless-wsgi: with its handler, and in the runtime by settings alone."""

import base64
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from handler import Handler

from ours import ROOT, Served

HERE = Path(__file__).resolve().parent
# What `npm pack` brings: the plugin, and the handler that it puts into the package.
PLUGIN = Path(sys.prefix) / "package"


def theirs(folder, close):
    """The function as the plugin packages it."""
    for name in "wsgi_handler.py", "serverless_wsgi.py":
        shutil.copy(PLUGIN / name, folder)
    (folder / ".serverless-wsgi").write_text('{"app": "api.app"}')
    return Handler("wsgi_handler.handler", folder, close)


@unittest.skipUnless(
    PLUGIN.is_dir(), "`npm pack serverless-wsgi` has not run: `make test-migrate` does it where npm is"
)
class TheWholeProject(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folders = [Path(folder.name) / name for name in ("ours", "theirs")]
        for each in self.folders:
            shutil.copytree(HERE / "serverless_wsgi", each, ignore=shutil.ignore_patterns("__pycache__"))
        self.theirs = theirs(self.folders[1], self.addCleanup)
        settings = {"WSGI_LAMBDA_COMMANDS": "true", "WSGI_LAMBDA_WARMUP": "true"}
        self.ours = Served(self.folders[0], settings, "api:app", "--concurrency", "1")
        self.addCleanup(self.ours.stop)

    def both(self, event):
        expected, found = self.theirs.invoke(event), self.ours.invoke(event)
        self.assertEqual(self.answer(found), self.answer(expected), json.dumps(event)[:500])
        return found

    def answer(self, result):
        """Status, headers and body, as the front end sends them."""
        if not isinstance(result, dict) or "statusCode" not in result:
            return result
        pairs = [(name, value) for name, value in (result.get("headers") or {}).items()]
        pairs += [(name, value) for name, values in (result.get("multiValueHeaders") or {}).items() for value in values]
        pairs += [("set-cookie", cookie) for cookie in result.get("cookies", [])]
        pairs = {(name.lower(), value) for name, value in pairs if name.lower() not in ("content-length", "allow")}
        body = result.get("body") or ""
        return result["statusCode"], pairs, base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()

    def event(self, front, method, path, query="", body=None, **headers):
        """A sample event of the front end for another request."""
        event = json.loads((ROOT / f"events/{front}-get.json").read_text())
        pairs = {"Host": "api.example.com", "Cookie": "last=tea", "Content-Type": "application/json", **headers}
        values = [part.split("=") for part in query.split("&") if part]
        if front == "http-api-v2":
            event |= {"rawPath": path, "rawQueryString": query, "cookies": ["last=tea"], "routeKey": "$default"}
            event["requestContext"]["http"] |= {"method": method, "path": path}
            event["headers"] |= {name.lower(): value for name, value in pairs.items() if name != "Cookie"}
            event["requestContext"] |= {"domainName": "api.example.com", "stage": "$default"}
        else:
            event |= {
                "path": path,
                "httpMethod": method,
                "resource": "/{proxy+}",
                "pathParameters": {"proxy": path[1:]},
            }
            event["requestContext"] |= {"path": path, "resourcePath": "/{proxy+}", "domainName": "api.example.com"}
            event["headers"] |= pairs
            event["multiValueHeaders"] |= {name: [value] for name, value in pairs.items()}
            event["queryStringParameters"] = dict(values) or None
            many = {}
            for name, value in values:
                many.setdefault(name, []).append(value)
            event["multiValueQueryStringParameters"] = many or None
        return event | {"body": body, "isBase64Encoded": False}

    def test_requests(self):
        for front in "rest", "http-api-v2":
            self.both(self.event(front, "PUT", "/items/tea", body='{"count": 7}'))
            self.assertEqual(self.both(self.event(front, "GET", "/items/tea"))["statusCode"], 200)
            self.assertEqual(self.both(self.event(front, "GET", "/items/milk"))["statusCode"], 404)
            found = self.both(self.event(front, "GET", "/search", "word=a&word=b"))
            self.assertEqual(json.loads(found["body"]), {"words": ["a", "b"], "cookie": "tea"})
            self.assertTrue(self.both(self.event(front, "GET", "/pixel.png"))["isBase64Encoded"])
            self.assertEqual(self.both(self.event(front, "GET", "/old"))["statusCode"], 302)
            self.assertEqual(self.both(self.event(front, "DELETE", "/items/tea"))["statusCode"], 405)
        event = self.event("rest", "GET", "/user")
        event["requestContext"]["authorizer"] = {"principalId": "ada", "plan": "large"}
        self.assertEqual(json.loads(self.both(event)["body"]), {"user": "ada", "plan": "large", "context": True})

    def test_commands(self):
        def run(command, data):
            return self.both({"_serverless-wsgi": {"command": command, "data": data}})

        self.assertEqual(run("flask", "add tea --count 3"), [0, "tea: 3\n"])
        self.assertEqual(run("exec", "import api\nprint(api.items)"), [0, "{'tea': 3}\n"])
        self.assertEqual(run("command", "echo $((1 + 1)); pwd >/dev/null"), [0, "2\n"])
        self.assertEqual(run("command", "echo no; exit 3"), [3, "no\n"])
        # Where something fails, the two say it in words of their own.
        for command, data in [("exec", "1 / 0"), ("flask", "nothing"), ("manage", "check"), ("dance", "")]:
            event = {"_serverless-wsgi": {"command": command, "data": data}}
            (theirs, said), (ours, also_said) = self.theirs.invoke(event), self.ours.invoke(event)
            self.assertTrue(theirs and ours and said and also_said, f"{command}: {said} {also_said}")

    def test_pings(self):
        for event in (
            {"source": "serverless-plugin-warmup"},
            json.loads((ROOT / "events/not-http/scheduled.json").read_text()),
        ):
            self.assertEqual(self.theirs.invoke(event), {})
            self.assertIsNone(self.ours.invoke(event), "null where serverless-wsgi returns {}: nobody reads it")


if __name__ == "__main__":
    unittest.main(verbosity=2)
