# SPDX-License-Identifier: Apache-2.0
"""A machine emulated by QEMU, with network cards of real drivers, that sees this one's files.

    with VirtualMachine(nics=[Nic("wan", "e1000e")]) as vm:
        vm.run("ip", "link")                               # in the guest
        dp = vm.new("dataplane_api", "Dataplane")          # an object there, called from here
        dp.port(1, f"pci:{vm.nics['wan'].address}")
        vm.nics["wan"].send(frame)                         # on the card's wire
        vm.qmp("set_link", name="wan", up=False)

The kernel is Debian's, the root file system this machine's, read by 9p under a layer of memory that takes what is
written. Needs no KVM: instructions are translated. Cards sit behind an emulated IOMMU, in slots of their own, and are
bound to vfio-pci as soon as they come.
"""
import json
import os
import pathlib
import platform
import re
import select
import shutil
import socket
import subprocess
import tempfile

from topology import SOURCE, Failure, wait_for

UNPACKED = pathlib.Path("/var/cache/vgw-test")  # by scripts/setup
MODULES = ("9p", "9pnet_virtio", "virtio_pci", "virtio_console", "overlay", "vfio-pci", "vfio_iommu_type1", "virtio_net")
# QEMU's models, and properties that they need behind an IOMMU.
MODELS = {"e1000": {}, "e1000e": {}, "vmxnet3": {}, "virtio-net-pci": {"iommu_platform": True, "disable-legacy": "on"}}
# Of DPDK's drivers, those for what the machine has: all of them take long to load here.
DRIVERS = pathlib.Path("/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0")
DRIVER_NAMES = ("bus_pci", "bus_vdev", "mempool_ring", "net_e1000", "net_vmxnet3", "net_virtio")

INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
for module in /modules/*; do
    $b insmod $module
done
$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 root /lower
$b mount -t tmpfs layer /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work overlay /root
$b mount -t devtmpfs dev /root/dev
$b mount -t proc proc /root/proc
$b mount -t sysfs sys /root/sys
$b mount -t tmpfs run /root/run
$b cp -a /drivers /layer/drivers
$b mount --bind /layer/drivers /root{drivers}
$b ip link set lo up
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 {environment}
exec $b switch_root /root /usr/bin/python3 {agent} /dev/vport1p1
"""


def kernel():
    """The image and the modules of a Debian kernel: an installed one, or one that was only unpacked."""
    for top in pathlib.Path("/"), UNPACKED:
        for modules in sorted(top.glob("lib/modules/*"), reverse=True):
            image = top / "boot" / f"vmlinuz-{modules.name}"
            if image.exists() and (modules / "kernel/drivers/vfio/pci/vfio-pci.ko").exists():
                return image, modules / "kernel"
    raise Failure("there is no kernel to boot; scripts/setup test fetches one")


def with_needed(names, modules):
    """Files of kernel modules, each behind those that it needs."""
    files = {f.stem.replace("-", "_"): f for f in modules.rglob("*.ko")}
    found = []

    def add(name):
        file = files[name.replace("-", "_")]
        if file in found:
            return
        for needed in re.search(rb"\0depends=([^\0]*)\0", file.read_bytes())[1].decode().split(","):
            if needed:
                add(needed)
        found.append(file)

    for name in names:
        add(name)
    return found


class Nic:
    """A card in a slot of its own, and the far end of its wire: what is sent there, the card receives."""

    def __init__(self, name, model, netdev=None, **options):
        self.name, self.model, self.options, self.netdev = name, model, options, netdev
        self.mac = self.address = self.socket = self.path = None

    def place(self, slot, directory):
        self.slot = slot
        self.mac = f"02:00:00:00:aa:{slot:02x}"
        self.address = f"0000:{slot:02x}:00.0"  # buses are numbered in the order of slots
        if self.netdev is None:
            self.path = str(directory / f"{self.name}-card")
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.socket.settimeout(60)
            self.socket.bind(str(directory / f"{self.name}-wire"))
            self.netdev = (f"dgram,id={self.name},local.type=unix,local.path={self.path},"
                           f"remote.type=unix,remote.path={directory}/{self.name}-wire")

    def device(self):
        """As QEMU's device_add takes it."""
        return {"driver": self.model, "id": f"{self.name}-card", "netdev": self.name, "mac": self.mac,
                "bus": f"slot{self.slot}", "romfile": "", **MODELS[self.model], **self.options}

    def send(self, *frames):
        for frame in frames:
            self.socket.sendto(bytes(frame), self.path)

    def receive(self, timeout=0.0):
        """What has come out of the card by now, or comes within the time: a list of frames."""
        frames = []
        while select.select([self.socket], [], [], timeout)[0]:
            frames.append(self.socket.recv(65536))
            timeout = 0.0
        return frames


class Remote:
    """An object in the guest."""

    def __init__(self, vm, number):
        self.vm, self.number = vm, number

    def __getattr__(self, method):
        return lambda *args, **named: self.vm.ask(call=method, object=self.number, args=args, named=named)


class VirtualMachine:
    def __init__(self, nics=(), free_slots=0, processors=2, memory=768, netns=None):
        if platform.machine() != "x86_64":
            raise Failure("the emulated machine runs this one's programs: x86_64 only")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vm-"))
        self.console = self.directory / "console"
        self.left = b""
        self.nics = {n.name: n for n in nics}
        self.process = self.qmp_socket = self.agent = None
        for slot, nic in enumerate(nics, 1):
            nic.place(slot, self.directory)
        try:
            self.boot(len(nics) + free_slots, processors, memory, netns)
        except BaseException:
            self.close()
            raise

    def initramfs(self, modules):
        root = self.directory / "initramfs"
        for part in ("bin", "drivers", "dev", "proc", "sys", "modules", "lower", "layer", "root"):
            (root / part).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin/busybox")  # busybox-static
        for i, file in enumerate(with_needed(MODULES, modules)):
            shutil.copy(file, root / f"modules/{i:02}-{file.name.replace('-', '_')}")
        for name in DRIVER_NAMES:
            for file in DRIVERS.glob(f"librte_{name}.so*"):
                shutil.copy(file, root / "drivers", follow_symlinks=False)
        environment = " ".join(f"{k}='{v}'" for k, v in os.environ.items() if k.startswith(("VGW_", "ASAN_", "UBSAN_")))
        (root / "init").write_text(INIT.format(environment=environment, drivers=DRIVERS, agent=SOURCE / "test/lib/guest_agent.py"))
        (root / "init").chmod(0o755)
        with open(self.directory / "initramfs.cpio", "wb") as out:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, stdout=out, check=True,
                           input=b"".join(bytes(p.relative_to(root)) + b"\n" for p in root.rglob("*")))
        return self.directory / "initramfs.cpio"

    def boot(self, slots, processors, memory, netns):
        image, modules = kernel()
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                   "-machine", "q35,memory-backend=memory", "-accel", "tcg,thread=multi", "-cpu", "max",
                   "-smp", processors, "-m", memory, "-object", f"memory-backend-memfd,id=memory,size={memory}M,share=on",
                   "-kernel", image, "-initrd", self.initramfs(modules),
                   "-append", "console=ttyS0 intel_iommu=on no_timer_check lpj=8000000 lsm= cryptomgr.notests mitigations=off nokaslr panic=-1",
                   "-serial", f"file:{self.console}", "-qmp", f"unix:{self.directory}/qmp,server=on,wait=off",
                   "-device", "intel-iommu,intremap=on",
                   "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
                   "-device", "virtio-9p-pci,fsdev=root,mount_tag=root", "-device", "virtio-serial-pci",
                   "-chardev", f"socket,id=agent,path={self.directory}/agent,server=on,wait=off",
                   "-device", "virtserialport,chardev=agent"]
        for slot in range(1, slots + 1):
            command += ["-device", f"pcie-root-port,id=slot{slot},chassis={slot},slot={slot}"]
        for nic in self.nics.values():
            command += ["-netdev", nic.netdev, "-device", json.dumps(nic.device())]
        enter = ["ip", "netns", "exec", netns] if netns else []
        self.log = open(self.directory / "log", "w+b")
        with_us = ["setpriv", "--pdeathsig", "KILL"]  # a test run that is killed leaves no machine behind
        self.process = subprocess.Popen([*enter, *with_us, *map(str, command)], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        self.qmp_socket = self.connect("qmp")
        self.read(self.qmp_socket)  # its greeting
        self.qmp("qmp_capabilities")
        self.agent = self.connect("agent")
        self.read(self.agent)  # its own

    def connect(self, name):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(300)
        wait_for(lambda: self.alive() and s.connect(f"{self.directory}/{name}") is None, f"QEMU's socket {name}")
        return s

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"QEMU ended with {self.process.returncode}:\n{self.text()}")
        return True

    def text(self):
        texts = [(self.directory / name).read_text(errors="replace") for name in ("log", "console")
                 if (self.directory / name).exists()]
        return "\n".join("\n".join(t.splitlines()[-40:]) for t in texts)

    def read(self, s):
        """A line of JSON. What comes at once with another line is kept: either side answers when asked, QEMU alone
        has events, which are passed over."""
        line = b""
        while not line.endswith(b"\n"):
            try:
                byte = s.recv(1 << 20)
            except (TimeoutError, ConnectionError):
                byte = b""
            if not byte:
                raise Failure(f"the virtual machine does not answer:\n{self.text()}")
            line += byte
        return [json.loads(part) for part in line.splitlines()]

    def qmp(self, command, **arguments):
        self.qmp_socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            for message in self.read(self.qmp_socket):
                if "error" in message:
                    raise Failure(f"{command}: {message['error']['desc']}")
                if "return" in message:
                    return message["return"]

    def ask(self, **request):
        self.agent.sendall(json.dumps(request).encode() + b"\n")
        answer = self.read(self.agent)[0]
        if "error" in answer:
            raise Failure(answer["error"])
        return answer["result"]

    def run(self, *command, check=True, timeout=60):
        """A command in the guest."""
        done = subprocess.CompletedProcess(command, **self.ask(run=[str(c) for c in command], timeout=timeout))
        if check:
            done.check_returncode()
        return done

    def write(self, path, text):
        self.ask(write=path, text=text)

    def bind(self, address, driver):
        """Takes a card from the driver that it has and gives it to another; waits for the card to be there."""
        device = f"/sys/bus/pci/devices/{address}"
        wait_for(lambda: self.write(f"{device}/driver_override", driver) is None, f"{address} to be there")
        try:
            self.write(f"{device}/driver/unbind", address)
        except Failure:
            pass  # it has none
        self.write("/sys/bus/pci/drivers_probe", address)

    def new(self, module, name, *args, **named):
        """An object of a class there."""
        path = [str(SOURCE / "test/lib"), str(SOURCE / "test/system")]
        return Remote(self, self.ask(new=name, of=module, path=path, args=args, named=named))

    def close(self):
        for s in (self.agent, self.qmp_socket, *(n.socket for n in self.nics.values())):
            if s is not None:
                s.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.log.close()
        shutil.rmtree(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if value is not None or "PYTEST_CURRENT_TEST" in os.environ:
            print(self.text())
        self.close()
