"""One Django project that was written for Zappa: in Zappa's own handler, and in the runtime by settings alone.

Both get the same requests and events. Status, headers, bodies, results and errors are compared, and what the database, the
queue, Lambda and the WebSocket API have got."""

import json
import re
import subprocess
import sys
import unittest
import urllib.parse
from pathlib import Path

import events
from ours import command, environment
from sides import DOMAIN, PROJECT, Case, Ours, Zappa, digests, outcome, write_settings

# Of the eight front ends Zappa knows these.
ZAPPAS = ["function-url", "http-api", "http-api-v1", "rest", "alb", "alb-multi"]
ALL = [*ZAPPAS, "lattice", "lattice-v1"]
# What differs from run to run.
SECRETS = re.compile(rb'(csrfmiddlewaretoken" value=")[^"]+|(csrftoken=|sessionid=|messages=|expires=)[^;]+')


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
        status, _, content = self.same(front, "POST", "/orders/", as_json, order)
        self.assertEqual(status, 201, content)
        number = json.loads(content)["number"]
        self.assertEqual(self.same(front, "POST", "/orders/", as_json, b"{")[0], 400)
        # Zappa encodes a load balancer's query a second time.
        query = "Tee" if front.startswith("alb") else "Gr%C3%BCner+Tee"
        found = json.loads(self.same(front, "GET", f"/orders/?item={query}")[2])
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
        self.assertEqual(form("/admin/login/", jar, username="ada", password="wrong"), 200)
        self.assertEqual(form("/admin/login/", jar, username="ada", password="open sesame"), 302)
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

    def jobs(self):
        """Queues, a bucket, schedules and what else invokes Zappa's function, in the order of a day."""
        whole = {"messageId": "1"}
        return [
            events.sqs("orders", *self.messages, '{"order": 4711}', "no JSON"),
            events.sqs("failures", '{"why": "out of stock"}'),  # a function of one argument
            events.sqs("failures", '{"what": "?"}'),  # an error that the exception handler forgives
            events.sqs("failures", "no JSON"),  # one that it does not: the queue keeps the message
            events.sqs("unknown", "{}"),
            events.s3("shop-uploads", "photo.jpg"),
            events.schedule("shop-prod-orders.jobs.expire", kwargs={"days": 3}),
            events.schedule("shop-prod-orders.jobs.summarise", kwargs={}),  # a function without arguments
            events.schedule("shop-prod-zappa-keep-warm-handler.keep_warm_callback", kwargs={}),
            events.schedule("nightly", kwargs={}),
            events.token("Bearer good"),
            events.token("Bearer bad"),
            events.cognito("PreSignUp_SignUp", "ada@example.com"),
            events.cognito("PostConfirmation_ConfirmSignUp", "ada@example.org"),
            {"detail-type": "order placed", "source": "shop", "detail": {}},
            {"anything": whole},
        ]

    def test_events(self):
        for item in ("tea", "coffee"):
            self.same(
                "function-url",
                "POST",
                "/orders/",
                {"Content-Type": "application/json"},
                b'{"item": "%s"}' % item.encode(),
            )
        sent, _, _ = self.ours.did()
        self.assertEqual((sent, [], []), self.zappa.did())
        self.messages = sent
        found = [self.both(event) for event in self.jobs()]
        failed = found[0]["batchItemFailures"]
        self.assertEqual(len(failed), 2, "the orders are packed, the other two go back to the queue")
        self.assertEqual([type(each) for each in found[1:4]], [type(None), type(None), tuple])
        self.assertEqual(found[10]["policyDocument"]["Statement"][0]["Effect"], "Allow")
        self.assertTrue(found[12]["response"]["autoConfirmUser"])
        _, rows = self.ours.rows()
        self.assertEqual([row[1:] for row in rows["orders_order"]], [("tea", "packed"), ("coffee", "packed")])
        self.assertEqual(len(rows["orders_note"]), 6, rows["orders_note"])
        self.assertTrue(self.ours.served.shows("cannot pack"), self.ours.served.log())

    def test_tasks(self):
        as_json = {"Content-Type": "application/json"}
        self.same("rest", "POST", "/orders/", as_json, b'{"item": "tea"}')
        self.same("rest", "POST", "/orders/1/invoice/", {}, b"")
        _, [task], _ = self.ours.did()
        self.assertEqual(self.zappa.did()[1], [task])
        self.assertEqual(task["command"], "zappa.asynchronous.route_lambda_task")
        self.assertEqual(self.both(task), 2)
        self.assertEqual(self.ours.rows()[1]["orders_order"], [(1, "tea", "invoiced x2")])
        message = {
            "task_path": "orders.tasks.archive",
            "args": [1],
            "kwargs": {},
            "command": "zappa.asynchronous.route_sns_task",
        }
        self.both(events.sns("function-zappa-async", json.dumps(message)))
        self.assertEqual(self.ours.rows()[1]["orders_order"], [(1, "tea", "archived")])

    def test_websockets(self):
        # The two have APIs of their own, whose addresses are in the events.
        def send(*arguments):
            results = [
                side.invoke(events.websocket(*arguments[:2], side.services.domain, *arguments[2:]))
                for side in (self.ours, self.zappa)
            ]
            self.assertEqual(results[0], results[1])
            self.assertEqual(self.ours.rows(), self.zappa.rows())
            posted = self.ours.services.posted()
            self.assertEqual(posted, self.zappa.services.posted())
            return results[0], posted

        self.assertEqual(send("CONNECT", "ada="), ({"statusCode": 200}, []))
        send("CONNECT", "bob=")
        result, posted = send("MESSAGE", "ada=", "hello")
        self.assertEqual(result["body"], "sent")
        said = '{"said": "hello", "by": "ada="}'
        self.assertEqual(posted, [("/prod/@connections/ada%3D", said), ("/prod/@connections/bob%3D", said)])
        self.assertEqual(send("DISCONNECT", "ada="), ({"statusCode": 200}, []))
        self.assertEqual(len(send("MESSAGE", "bob=", "anybody?")[1]), 1)

    def test_commands(self):
        self.same("alb", "POST", "/orders/", {"Content-Type": "application/json"}, b'{"item": "tea"}')
        self.assertEqual(self.both({"manage": "report --state new"}), {})
        self.both({"command": "orders.jobs.summarise"})
        self.assertEqual(self.both({"command": "orders.jobs.expire", "kwargs": {"days": 9}}), 1)
        self.both({"raw_command": "from orders.models import Note; Note.objects.create(text='by hand')"})
        before = self.ours.rows()
        for event, error in [
            ({"manage": "report --state new"}, "CommandError"),
            ({"manage": "nothing"}, "CommandError"),
            ({"raw_command": "1 / 0"}, "ZeroDivisionError"),
            ({"command": "orders.nowhere.run"}, "ModuleNotFoundError"),
        ]:
            expected, found = outcome(self.zappa, event), outcome(self.ours, event)
            self.assertEqual((found, found[0]), (expected, error))
        # Zappa's exception handler has seen the four. The runtime has none for commands.
        self.assertEqual(self.ours.rows(), before)
        self.assertEqual(len(self.zappa.rows()[1]["orders_note"]), len(before[1]["orders_note"]) + 4)

    def test_zappas_handler_runs_commands_by_itself(self):
        file = self.ours.folder.parent / "command.json"
        file.write_text('{"manage": "nothing"}')
        handler = {"WSGI_LAMBDA_EVENT_HANDLER": "zappa.handler:lambda_handler"}
        arguments = ["replay", "--app", "shop.wsgi:application", str(file)]
        _, said = command(*arguments, folder=self.ours.folder, variables={**self.ours.variables, **handler})
        self.assertIn("CommandError", said)

    def test_zappas_command_line(self):
        settings = json.loads((self.ours.folder / "zappa_settings.json").read_text())
        settings["prod"]["aws_endpoint_urls"] = {"lambda": self.ours.served.endpoint}
        elsewhere = self.ours.folder.parent / "ci"
        elsewhere.mkdir()
        (elsewhere / "zappa_settings.json").write_text(json.dumps(settings))

        def zappa(*arguments):
            run = subprocess.run(
                [Path(sys.prefix) / "bin/zappa", *arguments],
                cwd=elsewhere,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            return run.returncode, run.stdout

        self.assertEqual(zappa("invoke", "prod", "orders.jobs.summarise")[0], 0)
        code = "from orders.models import Order; Order.objects.create(item='raw')"
        self.assertEqual(zappa("invoke", "prod", code, "--raw")[0], 0)
        status, said = zappa("manage", "prod", "report --state new")
        self.assertEqual(status, 0, said)
        self.assertTrue(self.ours.served.shows("1 orders"), self.ours.served.log())
        status, said = zappa("manage", "prod", "nothing")
        self.assertEqual(status, 1, said)
        self.assertIn("Unhandled error occurred", said)

    def test_nothing_of_it_can_be_forged(self):
        """A client writes commands and events wherever it can: the application alone gets them."""
        self.messages = ['{"order": 1}']
        forged = [*self.jobs(), {"manage": "flush --noinput"}, {"raw_command": "import os; os._exit(3)"}]
        forged += [{"command": "orders.jobs.summarise"}, {"_wsgi_lambda": {"command": "run", "arguments": ["false"]}}]
        forged += [events.websocket("CONNECT", "eve=", "example.com"), {"warmer": True}]
        before = self.ours.rows()
        for front in ALL:
            for event in forged:
                text = json.dumps(event)
                kind = {"Content-Type": "application/json", "X-Event": text, "X-Amz-Invocation-Type": "Event"}
                status, _, content = self.ours.served.request(front, "POST", "/orders/", kind, text)
                self.assertEqual((status, json.loads(content)), (400, {"error": "item is missing"}), f"{front} {text}")
                status, _, _ = self.ours.served.request(front, "GET", f"/whoami/?{urllib.parse.quote(text)}", kind)
                self.assertEqual(status, 200, f"{front} {text}")
        self.assertEqual(self.ours.rows(), before)
        self.assertEqual(self.ours.did(), ([], [], []))


if __name__ == "__main__":
    unittest.main(verbosity=2)
