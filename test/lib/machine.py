# SPDX-License-Identifier: Apache-2.0
"""A machine that boots systemd: namespaces and an overlay over this one's files, gone when it ends.

    with Machine() as m:
        m.put(file, "/usr/bin/tool")
        text = m.boot("systemctl status ...")     # a script that runs once units are started
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

from topology import wait_for

INSIDE = r"""
set -e
D=$1 M=$1/root
mount -t tmpfs tmpfs $D/layer
mkdir $D/layer/upper $D/layer/work
cp -a $D/files/. $D/layer/upper/
mount -t overlay overlay -o lowerdir=/,upperdir=$D/layer/upper,workdir=$D/layer/work $M
mount -t proc proc $M/proc
mount -t sysfs sysfs $M/sys
mount -t cgroup2 cgroup2 $M/sys/fs/cgroup
mount -t tmpfs tmpfs $M/run
mount -t tmpfs tmpfs $M/tmp
mkdir -p $M/run/out
mount --bind $D/out $M/run/out
mount -t tmpfs tmpfs $M/dev
mkdir $M/dev/net $M/dev/pts $M/dev/shm $M/dev/hugepages $M/dev/mqueue
for node in null zero full random urandom tty net/tun; do cp -a /dev/$node $M/dev/$node; done
mount -t devpts devpts $M/dev/pts
ln -s pts/ptmx $M/dev/ptmx
touch $D/out/ready
cd $M
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=console --show-status=no
"""

LAST = """
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=append:/run/out/text
StandardError=append:/run/out/text
ExecStart=/bin/bash /root/script
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""


class CannotBoot(Exception):
    """This machine does not let us; the text says why."""


class Machine:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="machine-"))
        for part in "layer", "root", "out", "files":
            (self.directory / part).mkdir()
        self.group = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.group:
            wait_for(self.remove_group, "the machine's last processes to be gone")
        shutil.rmtree(self.directory)

    def remove_group(self):
        """systemd leaves groups of its own behind."""
        for group, _, _ in os.walk(self.group, topdown=False):
            os.rmdir(group)
        return True

    def path(self, inside):
        path = self.directory / "files" / inside.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, source, inside):
        if pathlib.Path(source).is_dir():
            shutil.copytree(source, self.path(inside))
        else:
            shutil.copy(source, self.path(inside))

    def enable(self, *units):
        """These units, and none of those of the machine below."""
        wants = self.path("/etc/systemd/system/multi-user.target.wants/x").parent
        for unit in os.listdir("/etc/systemd/system/multi-user.target.wants"):
            (wants / unit).symlink_to("/dev/null")
        for unit in units:
            (wants / unit).unlink(missing_ok=True)
            (wants / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")

    def own_group(self):
        """A cgroup that the machine's is rooted in."""
        top = next((line.split()[1] for line in open("/proc/mounts", encoding="ascii") if " cgroup2 " in line), None)
        if top is None:
            raise CannotBoot("cgroup2 is not mounted")
        self.group = pathlib.Path(top) / self.directory.name
        self.group.mkdir()
        return self.group / "cgroup.procs"

    def boot(self, script, timeout=120):
        """Boots, runs the script, powers off. What the script printed."""
        if not os.access("/lib/systemd/systemd", os.X_OK):
            raise CannotBoot("systemd is not installed")
        self.path("/root/script").write_text(script)
        self.path("/etc/machine-id").write_text("")
        self.path("/usr/lib/systemd/system/last.service").write_text(LAST)
        (self.path("/etc/systemd/system/multi-user.target.wants/last.service")).symlink_to(
            "/usr/lib/systemd/system/last.service")
        command = ["unshare", "--mount", "--net", "--uts", "--ipc", "--cgroup", "--propagation", "private", "unshare",
                   "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", INSIDE, "machine", self.directory]
        try:
            procs = self.own_group()
            done = subprocess.run(["bash", "-c", f'echo $$ > {procs} && exec "$@"', "bash", *map(str, command)],
                                  capture_output=True, text=True, timeout=timeout, check=False)
        except OSError as e:
            raise CannotBoot(f"no cgroup of its own: {e}") from e
        if not (self.directory / "out/ready").exists():
            raise CannotBoot(done.stderr.strip())
        text = self.directory / "out/text"
        assert text.exists(), done.stdout + done.stderr
        return text.read_text()
