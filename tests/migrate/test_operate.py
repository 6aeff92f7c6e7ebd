"""What docs/operate.md shows, in the real runtime."""

import json
import re
import socket
import tempfile
import unittest
from pathlib import Path

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import events
from aws import recorder
from ours import ROOT
from runtime_api import Function

PAGE = (ROOT / "docs/operate.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
REQUEST = json.loads((ROOT / "events/http-api-v2-get.json").read_text()) | {"rawPath": "/orders", "cookies": []}
ROOT_ID, PARENT = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


def shown(name):
    """A file of the page: its first line is a comment with its name."""
    [block] = [block for block in BLOCKS if block.startswith(f"# {name}\n")]
    return block


class Operate(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def function(self, handler="app.app", files=None, **variables):
        for name, text in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Function(self.folder, handler, self.addCleanup, **variables)


FLASK = """
@app.get("/orders")
def orders():
    return "orders"
"""


class Metrics(Operate):
    APP = """
import logging
from metrics import emit

def app(environ, start_response):
    emit("OrdersPlaced", Shop="Bern")
    logging.error("an order has failed")
    start_response("200 OK", [])
    return [b""]
"""

    def test_a_line_of_the_log_is_a_metric_in_both_formats(self):
        for log_format in "Text", "JSON":
            function = self.function(
                files={"app.py": self.APP, "metrics.py": shown("metrics.py")}, AWS_LAMBDA_LOG_FORMAT=log_format
            )
            self.assertEqual(function.invoke(REQUEST)["statusCode"], 200)
            [line] = [line for line in function.log().splitlines() if "_aws" in line]
            metric = json.loads(line)
            [directive] = metric["_aws"]["CloudWatchMetrics"]
            self.assertEqual(directive["Namespace"], "Shop")
            self.assertEqual(directive["Dimensions"], [["Service", "Shop"]])
            self.assertEqual(directive["Metrics"], [{"Name": "OrdersPlaced", "Unit": "Count"}])
            self.assertEqual((metric["Service"], metric["Shop"], metric["OrdersPlaced"]), ("shop", "Bern", 1))
            self.assertGreater(metric["_aws"]["Timestamp"], 1_700_000_000_000)
            [record] = [line for line in function.log().splitlines() if "has failed" in line]
            if log_format == "JSON":
                self.assertEqual(json.loads(record)["level"], "ERROR", "what the metric filter of the alarms looks for")
            else:
                self.assertTrue(record.startswith("[ERROR]"), record)


class Schedules(Operate):
    def test_a_schedule_with_an_input_is_a_schedule_still(self):
        [snippet] = re.findall(r"^```yaml\n( +Events:.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
        event = json.loads(yaml.safe_load(snippet)["Events"]["Hourly"]["Properties"]["Input"])
        app = (
            "def app(environ, start_response): ...\n\ndef hourly(event, context):\n    return event['kwargs']['days']\n"
        )
        function = self.function("app:app", {"app.py": app}, WSGI_LAMBDA_EVENT_HANDLER="schedule=app:hourly")
        self.assertEqual(function.invoke(event), 3)


class OpenTelemetry(Operate):
    def spans(self, collector):
        """Those that the collector has, and none after that."""
        kept, collector.kept[:] = list(collector.kept), []
        found = []
        for path, body in kept:
            self.assertEqual(path, "/v1/traces")
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                [name] = [it.value.string_value for it in resource.resource.attributes if it.key == "service.name"]
                self.assertEqual(name, "shop")
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def traced(self, handler, files, **more):
        entered = recorder(200)
        collector = entered.__enter__()
        self.addCleanup(entered.__exit__, None, None, None)
        settings = dict(re.findall(r"^    (OTEL_\w+)=(\S+)$", PAGE, re.MULTILINE))
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{collector.server_port}"
        return self.function(handler, files, **settings, **more), collector

    def test_spans_leave_before_the_sandbox_can_be_frozen(self):
        files = {"telemetry.py": shown("telemetry.py") + FLASK + "\n\ndef job(event, context):\n"}
        files["telemetry.py"] += (
            '    with trace.get_tracer("jobs").start_as_current_span("nightly"):\n        return "done"\n'
        )
        handler = {"WSGI_LAMBDA_EVENT_HANDLER": "telemetry:job"}
        function, collector = self.traced("telemetry.app", files, **handler)
        unsampled = f"Root=1-{ROOT_ID[:8]}-{ROOT_ID[8:]};Parent={PARENT};Sampled=0"
        self.assertEqual(function.invoke(REQUEST, unsampled)["statusCode"], 200)
        self.assertEqual(self.spans(collector), [])
        for _ in range(2):
            self.assertEqual(function.invoke(REQUEST)["body"], "orders")
            [span] = self.spans(collector)
            self.assertEqual(span.name, "GET /orders")
            self.assertEqual((span.trace_id.hex(), span.parent_span_id.hex()), (ROOT_ID, PARENT))
        other = "Root=1-00000001-000000000000000000000002;Parent=0000000000000003;Sampled=1"
        self.assertEqual(function.invoke(REQUEST, other)["statusCode"], 200)
        [span] = self.spans(collector)
        self.assertEqual(span.trace_id.hex(), "00000001000000000000000000000002")
        self.assertEqual(function.invoke(events.schedule("nightly")), "done")
        [span] = self.spans(collector)
        self.assertEqual(span.name, "nightly")

    def test_without_the_flush_they_would_stay(self):
        text = shown("telemetry.py").replace("wsgi_lambda.after_response(provider.force_flush)\n", "")
        function, collector = self.traced(
            "telemetry.app", {"telemetry.py": text + FLASK}, OTEL_BSP_SCHEDULE_DELAY="60000"
        )
        function.invoke(REQUEST)
        self.assertEqual(self.spans(collector), [])

    def test_django(self):
        text = (
            shown("telemetry.py")
            .split("\n\napp = Flask")[0]
            .replace("flask import FlaskInstrumentor", "django import DjangoInstrumentor")
        )
        text = text.replace("from flask import Flask\n", "") + DJANGO.replace(
            "# before", "DjangoInstrumentor().instrument()"
        )
        text += "app = below_lambdas_segment(app)\n"
        function, collector = self.traced("telemetry.app", {"telemetry.py": text})
        self.assertEqual(function.invoke(REQUEST)["body"], "orders")
        [span] = self.spans(collector)
        self.assertEqual((span.name, span.trace_id.hex()), ("GET orders", ROOT_ID))


DJANGO = """
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__, MIDDLEWARE=[], INSTALLED_APPS=[])
urlpatterns = [path("orders", lambda request: HttpResponse("orders"))]
# before
from django.core.wsgi import get_wsgi_application

app = get_wsgi_application()
"""


class XRay(Operate):
    def segments(self, count):
        """What the daemon gets by UDP: a header and a segment in each datagram."""
        self.daemon.settimeout(20)
        return [json.loads(self.daemon.recv(65536).split(b"\n", 1)[1]) for _ in range(count)]

    def setUp(self):
        super().setUp()
        self.daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.daemon.close)
        self.daemon.bind(("127.0.0.1", 0))
        self.address = {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self.daemon.getsockname()[1]}"}

    def test_flask(self):
        function = self.function("xray.app", {"xray.py": shown("xray.py") + FLASK}, **self.address)
        self.check(function)

    def test_django(self):
        text = DJANGO.replace("MIDDLEWARE=[]", 'MIDDLEWARE=["aws_xray_sdk.ext.django.middleware.XRayMiddleware"]')
        text = text.replace("INSTALLED_APPS=[]", 'INSTALLED_APPS=["aws_xray_sdk.ext.django"]')
        [name] = re.findall(r"`(AWS_XRAY_TRACING_NAME)=(shop)`", PAGE)
        self.check(self.function("app.app", {"app.py": text}, **self.address, **dict([name])))

    def check(self, function):
        for trace in ROOT_ID, "0000000100000000000000000000000a":
            header = f"Root=1-{trace[:8]}-{trace[8:]};Parent={PARENT};Sampled=1"
            self.assertEqual(function.invoke(REQUEST, header)["body"], "orders", function.log())
            [segment] = self.segments(1)
            self.assertEqual(segment["trace_id"], f"1-{trace[:8]}-{trace[8:]}", function.log())
            self.assertEqual((segment["parent_id"], segment["http"]["response"]["status"]), (PARENT, 200))


if __name__ == "__main__":
    unittest.main(verbosity=2)
