"""`layer/publish` against moto's server, which speaks Lambda's API on this machine. `make test-publish` runs it."""

import json
import logging
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request
import zipfile
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parent.parent.parent
# What src/cli/layer/arn.rs reads in its tests: the two sides agree on the form.
EXPECTED = ROOT / "tests/publish/layers.json"
MANAGED = "wsgi-lambda-bootstrap-python3.13-x86_64.zip"
WHOLE = "wsgi-lambda-python3.14-arm64.zip"
HERE = ["--region", "eu-west-1", "--region", "us-east-1"]


class Publish(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
        cls.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cls.server.start()
        cls.url = "http://{}:{}".format(*cls.server.get_host_and_port())

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")).close()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.layers = self.folder / "layers.json"
        self.make(MANAGED, "one")
        self.make(WHOLE, "two")

    def make(self, name, content):
        with zipfile.ZipFile(self.folder / name, "w") as archive:
            archive.writestr(zipfile.ZipInfo("bootstrap"), content)  # with a time of its own the code would differ

    def publish(self, *arguments, zips=(MANAGED, WHOLE), status=0, credentials=True):
        """Runs it and returns what it printed."""
        # No settings of this machine, and one attempt: a refusal that stays one is not waited for.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "AWS_ENDPOINT_URL": self.url}
        environment |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
        if credentials:
            environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        command = [sys.executable, ROOT / "layer/publish", "--layers", self.layers, *arguments]
        command += [self.folder / name for name in zips]
        run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(run.returncode, status, run.stdout)
        return run.stdout

    def client(self, region, service="lambda"):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

    def versions(self, name, region="eu-west-1"):
        listed = self.client(region).list_layer_versions(LayerName=name.removesuffix(".zip").replace(".", ""))
        return listed["LayerVersions"]

    def policy(self, version=1):
        name = "wsgi-lambda-bootstrap-python313-x86_64"
        text = self.client("eu-west-1").get_layer_version_policy(LayerName=name, VersionNumber=version)["Policy"]
        return json.loads(text)["Statement"]

    def test_nothing_is_published_unless_told_so(self):
        said = self.publish(*HERE)
        self.assertEqual(said.count("would be published"), 4, said)
        self.assertIn("--yes publishes", said)
        self.assertEqual(self.versions(MANAGED), [])
        self.assertFalse(self.layers.exists())
        self.publish("--yes", *HERE, zips=[WHOLE])
        said = self.publish(*HERE)
        self.assertEqual((said.count("would be published"), said.count("is there as version 1")), (2, 2), said)

    def test_each_region_has_each_layer_for_anyone(self):
        self.publish("--yes", *HERE)
        [managed] = self.versions(MANAGED)
        self.assertEqual(managed["CompatibleRuntimes"], ["python3.13"])
        self.assertEqual(managed["CompatibleArchitectures"], ["x86_64"])
        self.assertIn("the runtime for AWS's Python 3.13, x86_64", managed["Description"])
        self.assertTrue(managed["LicenseInfo"].startswith("Apache-2.0"))
        [whole] = self.versions(WHOLE, "us-east-1")
        self.assertEqual(
            (whole["CompatibleRuntimes"], whole["CompatibleArchitectures"]), (["provided.al2023"], ["arm64"])
        )
        [statement] = self.policy()
        self.assertEqual((statement["Action"], statement["Principal"]), ("lambda:GetLayerVersion", "*"))
        self.assertEqual(self.layers.read_text(), EXPECTED.read_text())

    def test_a_second_run_publishes_nothing(self):
        self.publish("--yes", *HERE)
        name = "wsgi-lambda-bootstrap-python313-x86_64"
        # As if the first run had ended between its two requests.
        self.client("eu-west-1").remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="public")
        self.layers.unlink()
        said = self.publish("--yes", *HERE)
        self.assertEqual(said.count("is there as version 1"), 4, said)
        self.assertEqual(len(self.versions(MANAGED)), 1)
        self.assertEqual(len(self.policy()), 1)
        self.assertEqual(self.layers.read_text(), EXPECTED.read_text())

    def test_other_code_is_another_version_and_old_code_is_found(self):
        self.publish("--yes", *HERE)
        self.make(MANAGED, "new")
        self.publish("--yes", "--region", "eu-west-1", zips=[MANAGED])
        listed = json.loads(self.layers.read_text())
        self.assertEqual(listed["eu-west-1"]["3.13"]["x86_64"]["managed"]["version"], 2)
        self.assertEqual(listed["us-east-1"]["3.13"]["x86_64"]["managed"]["version"], 1)
        self.assertIn("3.14", listed["eu-west-1"])
        self.make(MANAGED, "one")
        self.assertIn("is there as version 1", self.publish(*HERE[:2], zips=[MANAGED]))

    def test_a_region_that_fails_does_not_stop_the_others(self):
        said = self.publish("--yes", "--region", "mars-north-1", "--region", "eu-west-1", status=1)
        self.assertEqual(said.count("FAILED"), 2, said)
        self.assertTrue(all("mars-north-1" in line for line in said.splitlines() if "FAILED" in line), said)
        self.assertIn("2 failures", said)
        self.assertEqual(json.loads(self.layers.read_text()).keys(), {"eu-west-1"})

    def test_without_a_region_it_is_the_accounts(self):
        self.publish("--yes", zips=[MANAGED])
        account = {region["RegionName"] for region in self.client("us-east-1", "ec2").describe_regions()["Regions"]}
        self.assertEqual(json.loads(self.layers.read_text()).keys(), account)

    def test_without_credentials_it_tells_what_it_would_do_and_does_nothing(self):
        said = self.publish(credentials=False)
        self.assertIn("no AWS credentials", said)
        self.assertIn("would be published, unless it is there", said)
        self.assertIn("no AWS credentials", self.publish("--yes", credentials=False, status=1))

    def test_what_is_no_layer_for_others_is_refused(self):
        quick = "wsgi-lambda-python3.13-x86_64-QUICK.zip"
        self.make(quick, "quick")
        self.assertIn("not a name", self.publish("--yes", *HERE, zips=[MANAGED, quick], status=2))
        with (self.folder / WHOLE).open("wb") as file:
            file.truncate(50 * 1024 * 1024 + 1)
        self.assertIn("through S3", self.publish("--yes", *HERE, status=2))
        self.assertIn("No such file", self.publish("--yes", *HERE, zips=["wsgi-lambda-python3.12-arm64.zip"], status=2))
        self.assertEqual(self.versions(MANAGED), [])

    def test_a_python_that_aws_does_not_have_is_left_out(self):
        future = "wsgi-lambda-bootstrap-python3.99-arm64.zip"
        self.make(future, "future")
        said = self.publish("--yes", *HERE, zips=[MANAGED, future])
        self.assertIn("left out: wsgi-lambda-bootstrap-python399-arm64: boto3", said)
        self.assertNotIn("3.99", self.layers.read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
