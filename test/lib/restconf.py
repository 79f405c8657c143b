# SPDX-License-Identifier: Apache-2.0
"""vgw-control in a directory of its own, and a client of its management API."""
import http.client
import json
import pathlib
import signal
import socket
import subprocess

from topology import BUILD, SOURCE, wait_for

RUNNING = "/restconf/ds/ietf-datastores:running"
CANDIDATE = "/restconf/ds/ietf-datastores:candidate"
OPERATIONAL = "/restconf/ds/ietf-datastores:operational"
JSON = "application/yang-data+json"


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self.path))


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()
        self.json = json.loads(self.text) if self.text and response.getheader("Content-Type") == JSON else None

    @property
    def error(self):
        return self.json["ietf-restconf:errors"]["error"][0]


class Control:
    """vgw-control in a directory of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.socket = self.directory / "control.sock"
        self.conf = self.directory / "vgw.conf"
        self.conf.write_text(
            "leaf-name = leaf1\n"
            f"dataplane-socket = {self.directory}/dataplane.sock\n"
            f"control-socket = {self.socket}\n"
            f"store = sqlite:{self.directory}/config.db\n"
            f"yang-dir = {SOURCE}/yang\n"
            "group = root\n")
        self.process = None
        self.start()

    def start(self):
        with open(self.directory / "control.log", "ab") as log:
            self.process = subprocess.Popen([BUILD / "control/vgw-control", "-c", self.conf], stderr=log)

        def serving():
            assert self.process.poll() is None, (self.directory / "control.log").read_text()
            return self.get("/restconf").status == 200
        wait_for(serving, "vgw-control to serve")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(20)

    def request(self, method, target, body=None, **headers):
        connection = Connection(self.socket)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", JSON)
        connection.request(method, target, body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def get(self, target, **headers):
        return self.request("GET", target, **headers)

    def put(self, target, body, **headers):
        return self.request("PUT", target, body, **headers)

    def post(self, target, body=None, **headers):
        return self.request("POST", target, body, **headers)

    def patch(self, target, body, **headers):
        return self.request("PATCH", target, body, **headers)

    def delete(self, target, **headers):
        return self.request("DELETE", target, **headers)

    def call(self, operation, headers=None, **values):
        body = {"vgw:input": {k.replace("_", "-"): v for k, v in values.items()}} if values else None
        return self.post(f"/restconf/operations/vgw:{operation}", body, **(headers or {}))

    def commit(self, **values):
        answer = self.call("commit", **values)
        assert answer.status == 200, answer.text
        return answer.json["vgw:output"]

    def import_(self, config, mode="replace"):
        answer = self.call("import", config=config, mode=mode)
        assert answer.status == 200, answer.text
        return answer.json["vgw:output"]["changes"]
