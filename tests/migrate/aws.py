"""The services that applications call, on this machine: moto's for queues and topics; small servers, which keep what they are
sent, for Lambda's Invoke and for the connections of a WebSocket API."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import logging
import ssl
import threading
from pathlib import Path

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.server import ThreadedMotoServer


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps each POST: path and body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.kept.append((self.path, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def recorder(status, certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.kept, server.status = [], status
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder, name):
    """A file with a key and a certificate for localhost: Zappa knows WebSocket APIs under https alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    today = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(host, host, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = Path(folder) / f"{name}.pem"
    path.write_bytes(key.private_bytes(*form) + signed.public_bytes(serialization.Encoding.PEM))
    return path


def start_moto(close):
    """The address of moto's server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    close(moto.stop)
    return "http://{}:{}".format(*moto.get_host_and_port())


class Services:
    """What one function has around it: a queue, Lambda, a WebSocket API."""

    def __init__(self, moto, name, folder, close):
        pem = certificate(folder, name)
        entered = contextlib.ExitStack()
        close(entered.close)
        self.functions = entered.enter_context(recorder(202))
        self.gateway = entered.enter_context(recorder(200, pem))
        self.domain = f"localhost:{self.gateway.server_port}"
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        self.sqs = boto3.client("sqs", "eu-west-1", endpoint_url=moto, **keys)
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.variables = {
            "AWS_CA_BUNDLE": str(pem),
            "AWS_ENDPOINT_URL": moto,
            "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{self.functions.server_port}",
            "QUEUE_URL": self.queue,
        }

    def messages(self):
        """The bodies that are in the queue, which is empty then."""
        bodies = []
        while got := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(bodies)

    def invoked(self):
        """The events that Lambda got, and none after that."""
        kept, self.functions.kept[:] = list(self.functions.kept), []
        return [json.loads(body) for _, body in kept]

    def posted(self):
        """Paths and bodies of the messages to browsers."""
        kept, self.gateway.kept[:] = list(self.gateway.kept), []
        return [(path, body.decode()) for path, body in kept]
