#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: a page of a web server in one L2 domain, from a database in another, across an IP-only core.

    demo.py          builds it, shows it, cleans up
    demo.py --keep   leaves it running until Ctrl-C, and says how to play with it
"""
import argparse
import html.parser
import os
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "test/lib"))
from topology import BUILD, SOURCE, Failure, Topology, run, wait_for  # noqa: E402

PICTURE = r"""
       site A                      IP-only core                     site B

  web  192.168.10.1                                         db  192.168.10.2 (PostgreSQL)
    | VLAN 10                        +----+                     |
  +-+----------+      +--------------+ r1 +---------+  +--------+---------------+
  |   vgw A    +------+              +-+--+         +--+ Linux bridge + VXLAN   |
  | 10.255.0.1 +------+              +-+--+         +--+ 10.255.0.2             |
  +-+----------+      +--------------+ r2 +---------+  +------------------------+
    | untagged                       +-+--+
  desk 192.168.10.3                    |                 site C, reached over IPv6 alone
                                       |               +------------------------+
  VNI 5010 over IPv4 (to B) and        +- from r1, r2 -+   vgw C                +--- laptop
  VNI 7010 over IPv6 (to C)                            |   2001:db8:ff::3       |    192.168.10.4
  are one network in vgw A                             +------------------------+
"""


class Steps:
    """Says what goes on. A failure names its step, and shows what there is to look at: files, and what
    the gateways say to `vgw show WHAT`."""

    def __init__(self):
        self.current, self.files, self.shows = "the start", (), ()

    def __call__(self, text, files=(), shows=()):
        self.current, self.files, self.shows = text, files, shows
        print(f"\n==> {text}", flush=True)

    def failed(self, t, error):
        err = sys.stderr
        print(f'\ndemo: failed at the step "{self.current}":\n{error}', file=err)
        if isinstance(error, subprocess.CalledProcessError):
            print((error.stdout or "") + (error.stderr or ""), file=err)
        for gateway in t.gateways:
            for what in self.shows:
                shown = gateway.vgw("show", what, check=False)
                print(f"--- {gateway.name}: vgw show {what}\n{shown.stdout}{shown.stderr}", file=err)
        for file in filter(pathlib.Path.exists, self.files):
            print(f"--- the end of {file.name}\n" + "\n".join(file.read_text().splitlines()[-20:]), file=err)
        print("demo: look at what is above; make demo-keep leaves it all running, also after a failure.\n", file=err)


step = Steps()


def core(t):
    """Two routers of equal cost between the sites' names; they know loopbacks and nothing of L2."""
    routers = []
    for i in (1, 2):
        r = t.namespace(f"r{i}")
        r.sysctl("net.ipv4.ip_forward", 1)
        r.sysctl("net.ipv6.conf.all.forwarding", 1)
        routers.append(r)
    return routers


def connect_core(t, routers, a, b, c):
    for i, r in enumerate(routers, 1):
        t.wire(a, f"core{i}", r, "to-a")
        t.wire(b, f"core{i}", r, "to-b")
        t.wire(c, f"core{i}", r, "to-c")
        r.address("to-a", f"10.1.{i}.1/31", f"2001:db8:1:{i}::2/64")
        r.address("to-b", f"10.2.{i}.1/31")
        r.address("to-c", f"2001:db8:3:{i}::2/64")
        r.ip("route", "add", "10.255.0.1", "via", f"10.1.{i}.0")
        r.ip("route", "add", "10.255.0.2", "via", f"10.2.{i}.0")
        r.ip("route", "add", "2001:db8:ff::1", "via", f"2001:db8:1:{i}::1")
        r.ip("route", "add", "2001:db8:ff::3", "via", f"2001:db8:3:{i}::1")
        b.address(f"core{i}", f"10.2.{i}.0/31")


def linux_vtep(b):
    """Site B: what the Linux kernel itself has for VXLAN."""
    b.address("lo", "10.255.0.2/32")
    b.sysctl("net.ipv4.fib_multipath_hash_policy", 1)
    b.ip("route", "add", "10.255.0.1", "src", "10.255.0.2", "nexthop", "via", "10.2.1.1", "nexthop", "via", "10.2.2.1")
    b.ip("link", "add", "vxlan5010", "mtu", "1450", "type", "vxlan", "id", "5010", "local", "10.255.0.2", "remote",
         "10.255.0.1", "dstport", "4789")
    b.ip("link", "add", "br0", "type", "bridge")
    for port in ("vxlan5010", "db0"):
        b.ip("link", "set", port, "master", "br0")
    b.up("vxlan5010", "db0", "br0")


def hosts(t, a, b, c):
    web, desk, db, laptop = (t.namespace(n) for n in ("web", "desk", "db", "laptop"))
    t.wire(web, "trunk", a, "trunk")
    web.trunk("trunk", 10, "vlan10")
    web.address("vlan10", "192.168.10.1/24")
    t.wire(desk, "eth0", a, "desk")
    desk.address("eth0", "192.168.10.3/24")
    t.wire(db, "eth0", b, "db0")
    db.address("eth0", "192.168.10.2/24")
    t.wire(laptop, "eth0", c, "lan")
    laptop.address("eth0", "192.168.10.4/24")
    for host, device in ((web, "vlan10"), (desk, "eth0"), (db, "eth0"), (laptop, "eth0")):
        host.ip("link", "set", device, "mtu", "1430")  # leaves room for 70 bytes of VXLAN over IPv6
    return web, desk, db, laptop


def database(t, db):
    """A PostgreSQL cluster of its own, in the namespace of the host db."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    data = t.directory / "postgresql"
    t.directory.chmod(0o755)
    data.mkdir()
    os.chmod(data, 0o700)
    run("chown", "postgres", data)

    def as_postgres(*command, **options):
        return db.run("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "LC_ALL=C.UTF-8",
                      *command, cwd="/", **options)

    as_postgres(programs / "initdb", "-D", data, "--auth=trust")
    with open(data / "pg_hba.conf", "a", encoding="ascii") as f:
        f.write("host demo demo 192.168.10.0/24 scram-sha-256\n")
    db.start("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", programs / "postgres", "-D", data,
             "-c", "listen_addresses=192.168.10.2", "-c", f"unix_socket_directories={data}",
             log=t.directory / "postgresql.log", cwd="/")
    psql = [programs / "psql", "-h", data, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "-d"]
    wait_for(lambda: as_postgres(*psql, "postgres", "-c", "SELECT 1"), "PostgreSQL to start", timeout=60)
    as_postgres(*psql, "postgres", "-c", "CREATE USER demo PASSWORD 'demo'", "-c", "CREATE DATABASE demo OWNER demo")
    as_postgres(*psql, "demo", "-c", "CREATE TABLE site (city text, racks int)",
                "-c", "INSERT INTO site VALUES ('Montreal', 42), ('Zagreb', 17), ('Nairobi', 23), ('Osaka', 31)",
                "-c", "GRANT SELECT ON site TO demo")


class PageText(html.parser.HTMLParser):
    """The page as a terminal can show it."""

    def __init__(self):
        super().__init__()
        self.lines, self.cells = [], None

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.cells = []

    def handle_endtag(self, tag):
        if tag == "tr":
            self.lines.append("".join(f"{c:<16}" for c in self.cells))
            self.cells = None

    def handle_data(self, data):
        if not data.strip():
            return
        if self.cells is not None:
            self.cells.append(data.strip())
        else:
            self.lines.append(data.strip())


def fetch(host):
    page = host.run("curl", "-sS", "--fail", "--max-time", "10", "http://192.168.10.1/").stdout
    parser = PageText()
    parser.feed(page[page.index("<body>"):])
    if not any(line.startswith("Osaka") for line in parser.lines):
        raise Failure(f"the page came, but without the database's rows:\n{page}")
    return "\n".join("    " + line for line in parser.lines)


def spread(gateway, web):
    """Sends 64 flows to the database's host and returns how many packets each next hop got."""

    def counts():
        tunnel = next(x for x in gateway.show("tunnels") if x["remote"] == "10.255.0.2")
        return {h["address"]: int(h["tx-packets"]) for h in tunnel["next-hop"]}

    before = counts()
    script = ("import socket\n"
              "for port in range(20000, 20064):\n"
              "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', port))\n"
              "    [s.sendto(b'flow', ('192.168.10.2', 9)) for _ in range(4)]\n")
    web.run("/usr/bin/python3", "-c", script)

    def grown():
        after = counts()
        return sum(after.values()) - sum(before.values()) >= 256 and after

    after = wait_for(grown, "the counters of the tunnel's next hops to grow by 256")
    result = {a: after[a] - before.get(a, 0) for a in after}
    if min(result.values()) == 0 or len(result) != 2:
        raise Failure(f"64 flows should use both next hops, but: {result}")
    return result


def build(t):
    step("two routers, three sites, four hosts")
    a, b, c = (t.namespace(n) for n in ("site-a", "site-b", "site-c"))
    routers = core(t)
    connect_core(t, routers, a, b, c)
    web, desk, db, laptop = hosts(t, a, b, c)
    linux_vtep(b)
    print(PICTURE)

    step("vgw at site A and site C", shows=("ports", "failures"))
    gw_a, gw_c = t.gateway(a, "vgw-a"), t.gateway(c, "vgw-c")
    for gw, file in ((gw_a, "site-a.vgw"), (gw_c, "site-c.vgw")):
        print(f"    {gw.name}: vgw apply demo/{file}; vgw commit")
        gw.configure((HERE / file).read_text(), comment="the demo")

    step("a database at site B, a web server at site A", files=(t.directory / "postgresql.log",))
    database(t, db)
    web.start("/usr/bin/python3", HERE / "web.py", "192.168.10.1", "192.168.10.2", log=t.directory / "web.log")
    return gw_a, gw_c, web, desk, db, laptop


def show(t, gw_a, gw_c, web, desk, db, laptop):
    step("ping: web -> db (through vgw A and Linux), laptop -> web and db (through vgw C and vgw A)",
         shows=("ports", "tunnels", "neighbours", "macs", "drops"))
    web.wait_ping("192.168.10.2")
    laptop.wait_ping("192.168.10.1")
    laptop.wait_ping("192.168.10.2")
    for size in (1, 1402):
        for host, to in ((web, "192.168.10.2"), (db, "192.168.10.3"), (laptop, "192.168.10.2")):
            if not host.ping(to, size=size, flags=("-M", "do"), timeout=5):
                raise Failure(f"ping of {size} bytes from {host.name} to {to} did not come back")
    print("    all answered, from 1 byte to the full MTU")

    step("the page, as the desk at site A and the laptop at site C see it",
         files=(t.directory / "web.log", t.directory / "postgresql.log"), shows=("drops",))
    wait_for(lambda: fetch(desk), "the web page")
    page = fetch(laptop)
    print(page)

    step("the flows spread over the core's two paths", shows=("tunnels", "paths", "neighbours"))
    for next_hop, packets in spread(gw_a, web).items():
        print(f"    next hop {next_hop}: {packets} packets")

    for words in (("tunnels",), ("macs",)):
        step(f"vgw-a: vgw show {' '.join(words)}")
        print(gw_a.vgw("show", *words).stdout, end="")


def keep(t, gw_a):
    print(f"""
It runs until Ctrl-C. Things to try, in another terminal, as root:

    alias vgw='{BUILD}/cli/vgw --socket {gw_a.control_socket} --yang-dir {SOURCE}/yang'
    vgw                                          # the interactive shell
    vgw show macs
    vgw trace network demo/shop limit 20
    ip netns exec {t.prefix}-laptop curl http://192.168.10.1/
    ip netns exec {t.prefix}-r1 tcpdump -ni to-a udp port 4789
    ip netns exec {t.prefix}-r1 ip link set to-a down    # the flows move to r2
""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("\ncleaning up")


def main():
    parser = argparse.ArgumentParser(description="Shows vgw at work.")
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("demo: network namespaces need root: sudo make demo")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    status = 0
    with Topology("vgwdemo") as t:
        try:
            show(t, *build(t))
        except (Failure, subprocess.SubprocessError, OSError) as e:
            step.failed(t, e)
            status = 1
        except KeyboardInterrupt:
            print("\ninterrupted")
            status = 130
        if options.keep and status != 130 and t.gateways:
            keep(t, t.gateways[0])
    if status == 0:
        print("\nThe demo is done, and everything it made is gone again.")
    return status


if __name__ == "__main__":
    sys.exit(main())
