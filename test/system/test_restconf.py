# SPDX-License-Identifier: Apache-2.0
"""The management API: vgw-control alone, without a data plane, as a client of its socket sees it.

Names in brackets are sections of RFC 8040 unless another RFC is named.
"""
import json
import os
import signal
import socket
import subprocess
import tempfile
from urllib.parse import quote

import pytest
from restconf import CANDIDATE, JSON, OPERATIONAL, RUNNING, Connection, Control
from topology import BUILD

def port(name, **values):
    return {"name": name, "device": f"tap:{name}", **values}


def networks(count):
    return {"vgw:vfabric": [{"name": "acme", "id": 1,
                             "network": [{"name": f"n{i:04}", "id": i} for i in range(count)]}]}


@pytest.fixture(name="control")
def control_fixture():
    with tempfile.TemporaryDirectory(prefix="vgw-restconf-") as directory:
        control = Control(directory)
        yield control
        assert control.process.poll() is None, (control.directory / "control.log").read_text()
        assert control.stop() == 0
        log = (control.directory / "control.log").read_text()
        assert "Sanitizer" not in log and "runtime error" not in log, log


# --- discovery ----------------------------------------------------------------------------------

def test_discovery(control):
    """[3.1], [3.3]"""
    answer = control.get("/.well-known/host-meta")
    assert answer.status == 200 and "href='/restconf'" in answer.text
    assert answer.headers["Content-Type"] == "application/xrd+xml"
    api = control.get("/restconf").json["ietf-restconf:restconf"]
    assert "vgw:commit" in api["operations"] and api["yang-library-version"]
    assert control.get("/restconf/yang-library-version").json["ietf-restconf:yang-library-version"]
    assert "vgw:ping" in control.get("/restconf/operations").json["ietf-restconf:operations"]


def test_yang_library_and_capabilities(control):
    """[3.3.3], [9.1], RFC 8525"""
    library = control.get("/restconf/data/ietf-yang-library:yang-library").json["ietf-yang-library:yang-library"]
    assert "vgw" in {m["name"] for m in library["module-set"][0]["module"]} and library["content-id"]
    assert {"name": "ietf-datastores:candidate", "schema": "complete"} in library["datastore"]
    part = control.get("/restconf/data/ietf-yang-library:yang-library?fields=content-id").json
    assert part == {"ietf-yang-library:yang-library": {"content-id": library["content-id"]}}
    state = control.get("/restconf/data/ietf-restconf-monitoring:restconf-state").json
    capabilities = state["ietf-restconf-monitoring:restconf-state"]["capabilities"]["capability"]
    for name in "defaults", "depth", "fields", "with-defaults":
        assert any(f":capability:{name}:1.0" in c for c in capabilities)
    assert control.get("/restconf/data/ietf-yang-library:nothing").status == 404
    assert control.delete("/restconf/data/ietf-yang-library:yang-library").status == 405


def test_parts_of_the_yang_library(control):
    """[3.5], RFC 8525: what is in it are resources of their own."""
    top = "/restconf/data/ietf-yang-library:yang-library"
    library = control.get(top).json["ietf-yang-library:yang-library"]
    (modules,) = library["module-set"]
    name, vgw = modules["name"], next(m for m in modules["module"] if m["name"] == "vgw")
    part = f"{top}/module-set={name}"
    for target, answer in (
            (part, {"module-set": [modules]}), (f"{top}/module-set", {"module-set": [modules]}),
            (f"{part}/module=vgw", {"module": [vgw]}), (f"{part}/module=vgw/namespace", {"namespace": vgw["namespace"]}),
            (f"{part}/module=vgw/submodule=vgw-vxlan", {"submodule": [s for s in vgw["submodule"] if s["name"] == "vgw-vxlan"]}),
            (f"{part}/module=vgw?fields=name", {"module": [{"name": "vgw"}]}),
            (f"{top}/content-id", {"content-id": library["content-id"]}),
            (f"{top}/ietf-yang-library:datastore=ietf-datastores%3Arunning/schema", {"schema": "complete"})):
        got = control.get(target)
        assert got.json == {f"ietf-yang-library:{k}": v for k, v in answer.items()}, (target, got.text)
    for entry in modules["import-only-module"]:  # two keys
        keys = f"{entry['name']},{entry['revision']}"
        assert control.get(f"{part}/import-only-module={keys}").json == {"ietf-yang-library:import-only-module": [entry]}
    for target in (f"{part}x", f"{part}/module=vgw,1", f"{part}/import-only-module={entry['name']}", f"{part}/module=/name",
                   f"{top}/module-set/module", f"{top}=1", f"{top}/nothing", f"{part}/vgw:module=vgw",
                   f"{top}/content-id/more"):
        got = control.get(target)
        assert got.status == 404 and got.error["error-message"], (target, got.text)
    assert control.delete(part).status == 405
    capability = "/restconf/data/ietf-restconf-monitoring:restconf-state/capabilities/capability"
    listed = control.get(capability).json["ietf-restconf-monitoring:capability"]
    assert control.get(f"{capability}={quote(listed[1], safe='')}").json == {"ietf-restconf-monitoring:capability": [listed[1]]}
    assert control.get(f"{capability}=none").status == 404


def test_media_types(control):
    """[5.2]: 406 for a client that takes no JSON."""
    for accept, status in (("application/yang-data+xml", 406), ("text/html", 406), ("text/html, */*;q=0.1", 200),
                           ("application/yang-data+json", 200), ("application/json", 200)):
        assert control.request("GET", RUNNING, Accept=accept).status == status, accept


def test_methods(control):
    """[4]: 405 with Allow, OPTIONS, HEAD."""
    answer = control.delete(RUNNING)
    assert answer.status == 405 and "GET" in answer.headers["Allow"] and "DELETE" not in answer.headers["Allow"]
    assert control.request("BREW", RUNNING).status == 405
    answer = control.request("OPTIONS", f"{CANDIDATE}/vgw:port")
    assert answer.status == 200 and "PATCH" in answer.headers["Allow"] and answer.headers["Accept-Patch"] == JSON
    answer = control.request("HEAD", RUNNING)
    assert answer.status == 200 and answer.headers["ETag"] and answer.text == ""
    assert control.get("/restconf/operations/vgw:commit").status == 405
    assert control.put(f"{OPERATIONAL}/vgw:port=p1", {"vgw:port": [port("p1")]}).status == 405
    assert control.put("/restconf/data/vgw:state/system", {}).status == 405


# --- editing ------------------------------------------------------------------------------------

def test_candidate_and_commit(control):
    answer = control.put(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [port("p1", mtu=9000)]})
    assert answer.status == 201 and answer.headers["Location"] == f"{CANDIDATE}/vgw:port=p1"
    assert control.put(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [port("p1", mtu=9000)]}).status == 204
    assert control.get(f"{CANDIDATE}/vgw:port=p1/mtu").json == {"vgw:mtu": 9000}
    assert control.get(f"{RUNNING}/vgw:port=p1").status == 404
    change = control.call("compare").json["vgw:output"]["change"]
    assert [c["path"] for c in change] == ["/vgw:port=p1"] and "before" not in change[0]
    assert control.commit(comment="a port") == {"revision": "1", "changes": 1}
    assert control.get(f"{RUNNING}/vgw:port=p1").json == {"vgw:port": [port("p1", mtu=9000)]}
    assert control.call("compare").json["vgw:output"]["change"] == []
    log = control.get("/restconf/data/vgw:state/commit").json["vgw:commit"]
    assert log[0]["comment"] == "a port" and log[0]["author"] == "root" and log[0]["state"] == "committed"


def test_methods_of_editing(control):
    """[4.4] POST, [4.5] PUT, [4.6] PATCH, [4.7] DELETE."""
    body = {"vgw:port": [port("p1")]}
    answer = control.post(CANDIDATE, body)
    assert answer.status == 201 and answer.headers["Location"].endswith("/vgw:port=p1")
    answer = control.post(CANDIDATE, body)
    assert answer.status == 409 and answer.error["error-tag"] == "data-exists"
    assert control.patch(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [{"name": "p1", "mtu": 2000}]}).status == 204
    assert control.get(f"{CANDIDATE}/vgw:port=p1").json["vgw:port"][0] == port("p1", mtu=2000)
    assert control.put(f"{CANDIDATE}/vgw:port=p1", body).status == 204
    assert control.get(f"{CANDIDATE}/vgw:port=p1").json["vgw:port"][0] == port("p1")
    assert control.put(f"{CANDIDATE}/vgw:port=p1/mtu", {"vgw:mtu": 3000}).status == 201
    assert control.delete(f"{CANDIDATE}/vgw:port=p1/mtu").status == 204
    assert control.delete(f"{CANDIDATE}/vgw:port=p1").status == 204
    answer = control.delete(f"{CANDIDATE}/vgw:port=p1")
    assert answer.status == 404 and answer.error["error-tag"] == "data-missing"
    assert control.patch(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [port("p1")]}).status == 404


def test_edit_of_running_is_a_commit(control):
    assert control.put("/restconf/data/vgw:port=p1", {"vgw:port": [port("p1")]}).status == 201
    assert control.get("/restconf/data/vgw:state/system").json["vgw:system"]["revision"] == "1"
    answer = control.put("/restconf/data/vgw:port=p2", {"vgw:port": [{"name": "p2"}]})
    assert answer.status == 400
    assert control.get(f"{RUNNING}/vgw:port=p2").status == 404


def test_keys_are_percent_encoded(control):
    """[3.5.3]"""
    control.patch(CANDIDATE, {"vgw:vfabric": [{"name": "acme", "id": 1, "vrouter": [{"name": "r", "interface": [
        {"name": "lo", "type": "loopback"}], "static-route": [{"prefix": "2001:db8::/32", "blackhole": [None]}]}]}]})
    answer = control.get(f"{CANDIDATE}/vgw:vfabric=acme/vrouter=r/static-route=2001%3Adb8%3A%3A%2F32")
    assert answer.json["vgw:static-route"][0]["prefix"] == "2001:db8::/32", answer.text


def test_what_is_wrong_is_said(control):
    """[7]: path of the wrong node, what is wrong, what would be right; nothing is changed."""
    answer = control.put(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [port("p1", mtu=99999)]})
    assert answer.status == 400 and answer.error["error-tag"] == "invalid-value"
    assert "mtu" in answer.error["error-path"] and "9216" in answer.error["error-message"]
    answer = control.put(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [port("p1", colour="red")]})
    assert answer.status == 400 and "colour" in answer.text
    assert control.put(f"{CANDIDATE}/vgw:port=p1", '{"vgw:port": [').status == 400
    assert control.put(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [port("p2")]}).status == 400
    assert control.get(f"{CANDIDATE}/vgw:port=p1").status == 404
    assert control.get("/restconf/data/vgw:colour").status in (400, 404)
    control.patch(CANDIDATE, {"vgw:vfabric": [{"name": "acme", "id": 1, "network": [
        {"name": "web", "id": 1, "attachment": [{"name": "a", "port": "none"}]}]}]})
    for operation in "validate", "commit":
        answer = control.call(operation)
        assert answer.status == 409 and answer.error["error-tag"] == "data-missing"  # RFC 7950 15.5
        assert answer.error["error-path"] == "/vgw:vfabric=acme/network=web/attachment=a/port", answer.text
    assert control.get("/restconf/data/vgw:state/system").json["vgw:system"]["revision"] == "0"
    assert control.call("discard").status == 204
    assert control.get(CANDIDATE).json == {"ietf-restconf:data": {}}


def test_bodies(control):
    """[5.2] media types; sizes; bytes that are no text."""
    body = json.dumps({"vgw:port": [port("p1")]})
    target = f"{CANDIDATE}/vgw:port=p1"
    assert control.put(target, body, Content_Type="application/yang-data+xml").status == 415
    assert control.put(target, "").status == 400
    assert control.put(target, body + "\0").status == 400
    assert control.put(target, body.replace("tap:p1", "tap:\udcff").encode("utf-8", "surrogateescape")).status == 400
    answer = control.put(target, " " * (2 << 20))
    assert answer.status == 413 and answer.error["error-tag"] == "too-big"
    assert control.post("/restconf/operations/vgw:import", " " * (2 << 20)).status == 400
    assert control.put(target, body, Content_Type="application/yang-data+json; charset=utf-8").status == 201


@pytest.mark.parametrize("target, status", [
    ("/", 404), ("/restconf/nothing", 404), ("/restconf/data/vgw:port=%zz", 400), ("/restconf/data//x", 400),
    ("/restconf/operations/vgw:nothing", 405), ("/restconf/streams/nothing", 404), ("/restconf/data/" + "x" * 5000, 400),
    ("/restconf/ds/ietf-datastores:startup", 404), (f"{RUNNING}/vgw:state", 404), ("/restconf/data/vgw:port?limit=x", 400),
    ("/restconf/data/vgw:state/nothing", 404), ("/restconf/data/vgw:state/mac=a", 400),
    ("/restconf/data/vgw:state/mac?cursor=x", 400), ("/restconf/data/vgw:port?nothing=1", 400),
    ("/restconf/data/vgw:port=p1?limit=1", 400),
])
def test_wrong_targets(control, target, status):
    answer = control.get(target)
    assert answer.status == status, answer.text
    assert answer.error["error-message"]


# --- entity tags --------------------------------------------------------------------------------

def test_entity_tags(control):
    """[3.5.2], [3.4.1.2]: If-Match, If-None-Match, Last-Modified."""
    control.put("/restconf/data/vgw:port=p1", {"vgw:port": [port("p1")]})
    first = control.get(RUNNING)
    tag = first.headers["ETag"]
    assert first.headers["Last-Modified"].endswith("GMT")
    assert control.get(RUNNING, If_None_Match=tag).status == 304
    assert control.put("/restconf/data/vgw:port=p1", {"vgw:port": [port("p1", mtu=2000)]}, If_Match=tag).status == 204
    assert control.get(RUNNING, If_None_Match=tag).status == 200
    answer = control.put("/restconf/data/vgw:port=p1", {"vgw:port": [port("p1")]}, If_Match=tag)
    assert answer.status == 412 and answer.error["error-type"] == "protocol"
    tag = control.get(CANDIDATE).headers["ETag"]
    assert control.put(f"{CANDIDATE}/vgw:port=p2", {"vgw:port": [port("p2")]}, If_Match=tag).status == 201
    assert control.delete(f"{CANDIDATE}/vgw:port=p2", If_Match=tag).status == 412
    base = control.get(RUNNING).headers["ETag"]
    control.put("/restconf/data/vgw:port=p3", {"vgw:port": [port("p3")]})
    assert control.call("commit", {"If-Match": base}).status == 412
    assert control.call("commit", {"If-Match": control.get(RUNNING).headers["ETag"]}).status == 200


def test_commit_against_a_changed_running(control):
    """The candidate changed what running has changed meanwhile: the commit says which entry."""
    control.put("/restconf/data/vgw:port=p1", {"vgw:port": [port("p1")]})
    control.patch(f"{CANDIDATE}/vgw:port=p1", {"vgw:port": [{"name": "p1", "mtu": 2000}]})
    control.patch("/restconf/data/vgw:port=p1", {"vgw:port": [{"name": "p1", "mtu": 3000}]})
    answer = control.call("commit")
    assert answer.status == 409 and "/vgw:port=p1" in answer.text, answer.text


# --- reading ------------------------------------------------------------------------------------

def test_query_parameters(control):
    """[4.8]: content, depth, fields, with-defaults."""
    control.import_({"vgw:port": [port("p1", mtu=1500), port("p2")], **networks(2)})
    control.commit()
    acme = f"{RUNNING}/vgw:vfabric=acme"
    assert control.get(f"{acme}?depth=1").json == {"vgw:vfabric": [{"name": "acme"}]}
    assert control.get(f"{acme}?depth=2").json["vgw:vfabric"][0]["id"] == 1
    assert "id" not in control.get(f"{acme}?depth=2").json["vgw:vfabric"][0]["network"][0]
    assert control.get(f"{acme}?depth=3").json["vgw:vfabric"][0]["network"][1] == {"name": "n0001", "id": 1}
    assert control.get("/restconf/data?depth=1").json == {"ietf-restconf:data": {}}
    assert control.get("/restconf/data/vgw:state?depth=1").json == {"vgw:state": {}}
    assert control.get("/restconf/data/vgw:state?depth=2").json["vgw:state"]["commit"] == [{"revision": "1"}]
    assert control.get("/restconf/data/vgw:state/commit?depth=1").json["vgw:commit"] == [{"revision": "1"}]
    assert control.get("/restconf/data/vgw:state/commit?depth=2").json["vgw:commit"][0]["author"] == "root"
    assert control.get(f"{acme}?fields=network(id)").json["vgw:vfabric"][0] == {"network": [{"id": 0}, {"id": 1}]}
    assert control.get(f"{RUNNING}?fields=vgw:port/name").json["ietf-restconf:data"]["vgw:port"] == [
        {"name": "p1"}, {"name": "p2"}]
    everything = control.get(f"{RUNNING}/vgw:port=p2?with-defaults=report-all").json["vgw:port"][0]
    assert everything["mtu"] == 1500 and everything["enabled"] is True
    assert "mtu" not in control.get(f"{RUNNING}/vgw:port=p1?with-defaults=trim").json["vgw:port"][0]
    assert control.get(f"{RUNNING}/vgw:port=p1").json["vgw:port"][0]["mtu"] == 1500
    data = control.get("/restconf/data").json["ietf-restconf:data"]
    assert len(data["vgw:port"]) == 2 and data["vgw:state"]["system"]["leaf-name"] == "leaf1"
    assert "vgw:state" not in control.get("/restconf/data?content=config").json["ietf-restconf:data"]
    assert list(control.get("/restconf/data?content=nonconfig").json["ietf-restconf:data"]) == ["vgw:state"]
    assert control.get(f"{OPERATIONAL}/vgw:port=p1/device").json == {"vgw:device": "tap:p1"}


def test_fields_that_the_models_do_not_have(control):
    """[4.8.3] 400 invalid-value, which names what is unknown and where; by itself or with its module, at any depth, of
    configuration, of state, of what is read page by page, and of the server's own models."""
    control.import_(networks(2))
    network = f"{CANDIDATE}/vgw:vfabric=acme/network"
    for target, fields, where, unknown in (
            (network, "nmae", "network", "nmae"), (network, "name;flood(broadcst)", "flood", "broadcst"),
            (f"{network}?limit=1", "flood/none", "flood", "none"), (f"{network}=n0000", "ietf:name", "network", "ietf:name"),
            (network, "ietf-yang-library:name", "network", "ietf-yang-library:name"), (network, "id;vgw:", "network", "vgw:"),
            (CANDIDATE, "vgw:vfabric(network(idd))", "network", "idd"), ("/restconf/data", "ports", "the datastore", "ports"),
            (f"{network}?with-defaults=report-all", "idd", "network", "idd"),
            ("/restconf/data/vgw:state", "commit/autor", "commit", "autor"),
            ("/restconf/data/vgw:state/commit", "autor", "commit", "autor"),
            ("/restconf/data/ietf-yang-library:yang-library", "module-set/modul", "module-set", "modul")):
        answer = control.get(f"{target}{'&' if '?' in target else '?'}fields={fields}")
        assert answer.status == 400 and answer.error["error-tag"] == "invalid-value", (target, fields, answer.text)
        assert answer.error["error-message"] == f"query parameter fields: {where} has no '{unknown}'"
    assert control.get(f"{network}=n0001?fields=vgw:id;name").json == {"vgw:network": [{"name": "n0001", "id": 1}]}
    assert control.get(f"{network}=nothing?fields=id").status == 404
    assert control.get(f"{CANDIDATE}/vgw:nothing?fields=id").error["error-message"].endswith("has no 'nothing'")
    author = control.get("/restconf/data?content=nonconfig&fields=vgw:state/commit/vgw:author").json["ietf-restconf:data"]
    assert author == {"vgw:state": {"commit": []}}


def test_where_names_that_the_models_do_not_have(control):
    """400 invalid-value, which names what is unknown or is no leaf, and where; of configuration and of state."""
    network, commit = f"{CANDIDATE}/vgw:vfabric=acme/network", "/restconf/data/vgw:state/commit"
    for target, where, of, unknown in (
            (network, "where=idd=1", "network", "idd"), (network, "where=flood=1", "network", "flood"),
            (network, "where=id=1&where=nmae=x&limit=5", "network", "nmae"), (commit, "where=autor=root", "commit", "autor"),
            (commit, "where=author=root&where==x", None, None), (commit, "where=author=root&where=is=x", "commit", "is")):
        answer = control.get(f"{target}?{where}")
        assert answer.status == 400 and answer.error["error-tag"] == "invalid-value", (target, where, answer.text)
        if unknown is not None:
            assert answer.error["error-message"] == f"query parameter where: {of} has no leaf '{unknown}'"
    assert control.get(f"{commit}?where=author=nobody").json == {"vgw:commit": []}


def pages(control, target):
    """Follows rel="next" to the end."""
    while target:
        answer = control.get(target)
        assert answer.status == 200, answer.text
        yield list(answer.json.values())[0]
        link = answer.headers.get("Link")
        target = link[1:link.index(">")] if link else None


def test_paging_of_configuration(control):
    control.import_(networks(250))
    target = f"{CANDIDATE}/vgw:vfabric=acme/network"
    got = list(pages(control, f"{target}?limit=100&fields=name"))
    assert [len(page) for page in got] == [100, 100, 50]
    assert [n["name"] for page in got for n in page] == [f"n{i:04}" for i in range(250)]
    assert [n["name"] for n in control.get(f"{target}?where=id=42").json["vgw:network"]] == ["n0042"]
    assert [len(page) for page in pages(control, f"{target}?limit=125")] == [125, 125]
    assert control.get(f"{target}?where=id=999").json == {"vgw:network": []}


def test_paging_of_state(control):
    for i in range(7):
        control.put(f"/restconf/data/vgw:port=p{i}", {"vgw:port": [port(f"p{i}")]})
    got = list(pages(control, "/restconf/data/vgw:state/commit?limit=3"))
    assert [c["revision"] for page in got for c in page] == ["7", "6", "5", "4", "3", "2", "1"]
    assert [len(page) for page in got] == [3, 3, 1]
    assert control.get("/restconf/data/vgw:state/commit=4").json["vgw:commit"][0]["revision"] == "4"
    assert control.get("/restconf/data/vgw:state/commit=44").status == 404
    assert len(control.get("/restconf/data/vgw:state/commit?where=author=root").json["vgw:commit"]) == 7


def test_state_without_a_dataplane(control):
    """No data plane is no error: empty lists, and dataplane-connected says it."""
    state = control.get("/restconf/data/vgw:state").json["vgw:state"]
    assert state["system"]["dataplane-connected"] is False
    assert state["mac"] == [] and state["port"] == [] and state["drop"] == []
    assert control.get("/restconf/data/vgw:state/mac").json == {"vgw:mac": []}
    assert control.get("/restconf/data/vgw:state/mac?limit=5").json == {"vgw:mac": []}
    for operation in "clear-counters", "clear-macs":
        assert control.call(operation).status == 503
    assert control.get("/restconf/streams/trace").status == 503


# --- the configuration's life -------------------------------------------------------------------

def test_rollback(control):
    control.import_({"vgw:port": [port("p1")]})
    control.commit(comment="one")
    control.import_({"vgw:port": [port("p2"), port("p3")]})
    control.commit(comment="two")
    change = control.call("compare", **{"from": "1", "to": "2"}).json["vgw:output"]["change"]
    assert {c["path"] for c in change} == {"/vgw:port=p1", "/vgw:port=p2", "/vgw:port=p3"}
    assert control.call("rollback", revision="1").json["vgw:output"]["changes"] == 3
    control.commit(comment="back")
    assert control.get(f"{RUNNING}/vgw:port").json == {"vgw:port": [port("p1")]}
    assert control.call("rollback", revision="-1").status == 200
    control.commit()
    assert [p["name"] for p in control.get(f"{RUNNING}/vgw:port").json["vgw:port"]] == ["p2", "p3"]
    assert control.call("rollback", revision="99").status in (400, 404)
    assert control.call("rollback").status == 400
    assert control.call("rollback", revision="x").status == 400


def test_confirmed_commit(control):
    control.import_({"vgw:port": [port("p1")]})
    control.commit(confirm_minutes=5)
    system = control.get("/restconf/data/vgw:state/system").json["vgw:system"]
    assert system["confirm-deadline"].endswith("Z")
    assert control.get("/restconf/data/vgw:state/commit=1").json["vgw:commit"][0]["state"] == "unconfirmed"
    assert control.call("confirm").status == 204
    assert "confirm-deadline" not in control.get("/restconf/data/vgw:state/system").json["vgw:system"]
    assert control.get("/restconf/data/vgw:state/commit=1").json["vgw:commit"][0]["state"] == "committed"
    assert control.call("commit", confirm_minutes=0).status == 400


def test_import_and_export(control):
    config = {"vgw:port": [port("p1")], **networks(3)}
    assert control.import_(config) == 5
    control.commit()
    assert control.import_({"vgw:port": [port("p2")]}, mode="merge") == 1
    control.commit()
    exported = control.get(RUNNING).json["ietf-restconf:data"]
    assert len(exported["vgw:port"]) == 2 and len(exported["vgw:vfabric"][0]["network"]) == 3
    assert control.import_(exported) == 0
    before = control.get(CANDIDATE).text
    answer = control.call("import", config={"vgw:port": [port("p3"), port("p4", mtu="x")]})
    assert answer.status == 400 and "p4" in answer.error["error-path"]
    assert control.get(CANDIDATE).text == before
    for body in "{}", '{"vgw:input":{}}', '{"vgw:input":{"config":', '{"vgw:input":{"config":{},"mode":"x"}}':
        assert control.post("/restconf/operations/vgw:import", body).status == 400


def test_operations_check_their_input(control):
    answer = control.call("commit", colour="red")
    assert answer.status == 400 and answer.error["error-path"] == "/vgw:commit" and "colour" in answer.text
    assert "it has: comment, confirm-minutes" in answer.text
    answer = control.call("commit", **{"confirm-minutes": 0})
    assert answer.status == 400 and answer.error["error-path"] == "/vgw:commit/confirm-minutes"
    assert "must be a number from 1 to 1440" in answer.text
    assert control.call("ping", vfabric="a", vrouter="r").status == 400
    answer = control.call("ping", vfabric="a", vrouter="r", address="nowhere")
    assert answer.status == 400 and "must be an IPv4 or IPv6 address" in answer.text
    answer = control.call("ping", vfabric="a", vrouter="r", address="192.0.2.1")
    assert answer.status == 404 and "no vrouter 'r' in vfabric 'a'" in answer.text
    assert control.call("clear-macs", vfabric="a", network="n").status == 404
    assert control.call("clear-macs", address="xx").status == 400
    assert control.post("/restconf/operations/vgw:nothing").status == 404
    assert control.post("/restconf/operations/vgw:commit", '{"vgw:input":{').status == 400
    assert control.post("/restconf/operations/vgw:commit", "{}").status == 200


# --- the program --------------------------------------------------------------------------------

def test_survives_sigkill(control):
    """The last commit and the candidate are there after a SIGKILL."""
    control.import_({"vgw:port": [port("p1")]})
    control.commit(comment="kept")
    control.put(f"{CANDIDATE}/vgw:port=p2", {"vgw:port": [port("p2")]})
    tag = control.get(CANDIDATE).headers["ETag"]
    assert control.stop(signal.SIGKILL) == -signal.SIGKILL
    control.start()
    assert control.get(f"{RUNNING}/vgw:port").json == {"vgw:port": [port("p1")]}
    assert control.get("/restconf/data/vgw:state/commit").json["vgw:commit"][0]["comment"] == "kept"
    assert len(control.get(f"{CANDIDATE}/vgw:port").json["vgw:port"]) == 2
    assert control.get(CANDIDATE).headers["ETag"] != tag
    control.commit()


def test_second_instance_is_refused(control):
    second = subprocess.run([BUILD / "control/vgw-control", "-c", control.conf], capture_output=True, timeout=20, text=True)
    assert second.returncode == 1 and "another vgw-control" in second.stderr
    assert control.get("/restconf").status == 200


def test_notifies_systemd(control):
    """sd_notify(3)"""
    control.stop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = str(control.directory / "notify")
        notify.bind(path)
        notify.settimeout(60)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            control.start()
            assert notify.recv(100) == b"READY=1"
        finally:
            del os.environ["NOTIFY_SOCKET"]
        control.stop()
        assert notify.recv(100) == b"STOPPING=1"
    control.start()


def test_wrong_conf(control):
    conf = control.directory / "wrong.conf"
    conf.write_text("leaf-name = x\nmemory = lots\n")
    result = subprocess.run([BUILD / "control/vgw-control", "-c", conf], capture_output=True, timeout=20, text=True)
    assert result.returncode == 1 and f"{conf}:2: memory: 'lots' is wrong" in result.stderr


def test_connections_in_parallel_and_kept(control):
    """Requests on one connection and on many; clients that leave in the middle."""
    connections = [Connection(control.socket) for _ in range(50)]
    for _ in range(2):
        for c in connections:
            c.request("GET", "/restconf/data/vgw:state")
        for c in connections:
            assert json.loads(c.getresponse().read())["vgw:state"]
    for c in connections[:25]:
        c.request("GET", "/restconf/streams/events")
    for c in connections[25:]:
        c.request("PUT", f"{CANDIDATE}/vgw:port=p1", body=None, headers={"Content-Length": "100"})
    for c in connections:
        c.sock.close()
    assert control.get("/restconf").status == 200


def test_events_last_until_their_end(control):
    answer = control.get("/restconf/streams/events?seconds=1")
    assert answer.status == 200 and answer.text == ""
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    connection = Connection(control.socket)
    connection.request("GET", "/restconf/streams/events")
    assert connection.getresponse().status == 200
    control.stop()
    control.start()
