"""The same project without Zappa's handler: a function for each source, and the file that docs/migrate.md shows."""

import json
import re
import unittest

import events
from ours import ROOT, Failed, command
from sides import Case, Ours


def shown(name):
    """The file of docs/migrate.md whose first line is a comment with this name."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/migrate.md").read_text(), re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if block.startswith(f"# {name}\n")]
    return block


SETTINGS = {
    "WSGI_LAMBDA_EVENT_HANDLER": "sqs=lambda_events:queue, schedule=lambda_events:schedule, s3=orders.jobs:uploaded, "
    "authorizer=orders.access:authorize, cognito=orders.access:sign_up, websocket=lambda_events:websocket, "
    "sns=zappa.asynchronous:route_sns_task, direct=zappa.asynchronous:route_lambda_task"
}


class WithoutItsDispatch(Case):
    """Each source has its function. Where one source has several, docs/migrate.md shows how they are told apart."""

    def setUp(self):
        self.ours = Ours(SETTINGS, *self.places(), files={"lambda_events.py": shown("lambda_events.py")})
        given = {**self.ours.variables, **SETTINGS}
        for arguments in ["migrate", "--noinput"], ["loaddata", "staff"]:
            status, said = command("manage", "--local", "--", *arguments, folder=self.ours.folder, variables=given)
            self.assertEqual(status, 0, said)
        self.assertIn("Installed 1 object", said)
        self.ours.start()

    def test_events(self):
        as_json = {"Content-Type": "application/json"}
        self.assertEqual(
            self.ours.request("rest", "POST", "/orders/", headers=as_json, body=b'{"item": "tea"}')[0][0], 201
        )
        self.assertEqual(self.ours.request("rest", "POST", "/orders/1/invoice/")[0][0], 202)
        [message], [task], _ = self.ours.did()
        self.assertEqual(self.ours.invoke(task), 2)
        batch = events.sqs("orders", message, "no JSON")
        identifier = batch["Records"][1]["messageId"]
        self.assertEqual(self.ours.invoke(batch), {"batchItemFailures": [{"itemIdentifier": identifier}]})
        self.assertEqual(self.ours.rows()[1]["orders_order"], [(1, "tea", "packed")])
        self.ours.invoke(events.sqs("failures", '{"why": "out of stock"}'))
        with self.assertRaisesRegex(Failed, "KeyError"):
            self.ours.invoke(events.sqs("failures", '{"what": "?"}'))
        with self.assertRaisesRegex(Failed, "KeyError.*unknown"):
            self.ours.invoke(events.sqs("unknown", "{}"))
        self.assertEqual(self.ours.invoke(events.schedule("shop-hourly", kwargs={"days": 3})), 0)
        self.assertIsNone(self.ours.invoke(events.schedule("shop-nightly")))
        self.assertEqual(self.ours.invoke(events.s3("shop-uploads", "photo.jpg")), 1)
        message = {"task_path": "orders.tasks.archive", "args": [1], "kwargs": {}}
        self.ours.invoke(events.sns("function-zappa-async", json.dumps(message)))
        self.assertEqual(self.ours.rows()[1]["orders_order"], [(1, "tea", "archived")])
        self.assertEqual(self.ours.invoke(events.token("Bearer good"))["principalId"], "customer")
        signed_up = self.ours.invoke(events.cognito("PreSignUp_SignUp", "ada@example.com"))
        self.assertTrue(signed_up["response"]["autoConfirmUser"])
        notes = [text for _, text in self.ours.rows()[1]["orders_note"]]
        self.assertEqual(notes, ["out of stock", "0 expired after 3 days", "1 orders", "uploaded photo.jpg"])

    def test_websockets(self):
        domain = self.ours.services.domain
        for kind, body in ("CONNECT", None), ("MESSAGE", "hello"), ("DISCONNECT", None):
            result = self.ours.invoke(events.websocket(kind, "ada=", domain, body))
            self.assertEqual(result["statusCode"], 200)
        self.assertEqual([path for path, _ in self.ours.services.posted()], ["/prod/@connections/ada%3D"])

    def test_without_settings_all_of_it_is_refused(self):
        for event in events.sqs("orders", "{}"), events.schedule("shop-hourly"), {"manage": "migrate"}:
            status, said = self.replay(event, {})
            self.assertEqual(status, 1, said)
            self.assertIn("Runtime.UnsupportedEvent", said)

    def test_replay_sends_them_too(self):
        self.assertIn('"batchItemFailures"', self.replay(events.sqs("orders", "no JSON"), SETTINGS)[1])

    def replay(self, event, settings):
        file = self.ours.folder.parent / "event.json"
        file.write_text(json.dumps(event))
        variables = {**self.ours.variables, **settings}
        return command(
            "replay", "--app", "shop.wsgi:application", str(file), folder=self.ours.folder, variables=variables
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
