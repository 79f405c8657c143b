# SPDX-License-Identifier: Apache-2.0
"""A DHCP server (dnsmasq) and clients (ISC dhclient) on hosts of a topology. What a client is given goes to its
interface and nowhere else: no file of this machine is touched."""
from topology import wait_for

SCRIPT = """#!/bin/sh
case $reason in
BOUND|RENEW|REBIND|REBOOT) ip address replace "$new_ip_address/24" dev "$interface" ;;
BOUND6|RENEW6|REBIND6) ip address replace "$new_ip6_address/64" dev "$interface" nodad ;;
esac
exit 0
"""


def serve_dhcp(topology, host, device, *ranges, options=()):
    """ranges: as dnsmasq takes them; "10.0.0.100,10.0.0.150,255.255.255.0,1h"."""
    log = topology.directory / f"dnsmasq-{host.name}.log"
    host.start("dnsmasq", "--no-daemon", "--port=0", "--conf-file=/dev/null", "--user=root", "--pid-file=",
               "--log-dhcp", f"--dhcp-leasefile={topology.directory}/leases-{host.name}", f"--interface={device}",
               "--dhcp-authoritative", *(f"--dhcp-range={r}" for r in ranges), *options, log=log)
    wait_for(lambda: "DHCP" in log.read_text(), f"the DHCP server of {host.name}")
    return log


def ask_dhcp(topology, host, device, family=4):
    """Starts a client, and waits for what it got: the address."""
    script = topology.directory / "dhclient-script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    name = topology.directory / f"dhclient{family}-{host.name}"
    if family == 6:
        wait_for(lambda: "fe80" in host.ip("-6", "address", "show", device, "scope", "link"), "a link-local address")
    host.start("dhclient", "-d", f"-{family}", "-sf", script, "-cf", "/dev/null", "-lf", f"{name}.leases",
               "-pf", f"{name}.pid", device, log=f"{name}.log")

    def address():
        scope = host.ip(f"-{family}", "-o", "address", "show", device, "scope", "global").split()
        return scope[3].split("/")[0] if len(scope) > 3 else None
    return wait_for(address, f"{host.name} to be given an address")
