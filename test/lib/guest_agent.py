#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Inside a virtual machine: does what its host asks for, see virtual_machine.py.

One line of JSON asks, one answers. {"run": [WORD...]} runs a command; {"new": CLASS, "of": MODULE} makes an object
that {"call": METHOD} is then done with; {"write": FILE} writes "text" there.
"""
import importlib
import json
import subprocess
import sys

objects = []


def run(request):
    done = subprocess.run(request["run"], capture_output=True, text=True, check=False, timeout=request["timeout"])
    return {"returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def write(request):
    with open(request["write"], "w", encoding="ascii") as file:
        file.write(request["text"])


def new(request):
    sys.path[:0] = request["path"]
    objects.append(getattr(importlib.import_module(request["of"]), request["new"])(*request["args"], **request["named"]))
    return len(objects) - 1


def call(request):
    return getattr(objects[request["object"]], request["call"])(*request["args"], **request["named"])


def answer(request):
    try:
        return {"result": next(do for do in (run, write, new, call) if do.__name__ in request)(request)}
    except Exception as e:  # the host is told of every one
        return {"error": f"{type(e).__name__}: {e}"}


def main(path):
    with open(path, "r+b", buffering=0) as channel:
        left = b""
        channel.write(b"{}\n")
        while True:
            part = channel.read(65536)
            left += part or b""
            while b"\n" in left:
                line, left = left.split(b"\n", 1)
                text = memoryview(json.dumps(answer(json.loads(line)), default=str).encode() + b"\n")
                while text:
                    text = text[channel.write(text):]


if __name__ == "__main__":
    main(sys.argv[1])
