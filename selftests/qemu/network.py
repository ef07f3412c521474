# SPDX-License-Identifier: GPL-2.0
"""Several guests on one virtual network, each with control channels, a disk, and a monitor.

Owns: the switch and what it is told, addresses, the control protocol of control.sh, QMP, the memory
that all guests share (histories and their clock), images of guests. Does not know what is run.
"""
import json
import os
import signal
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import rig
import root

HISTORY_BYTES = 1 << 20         # LIN_DEVICE_BYTES
HISTORIES = 511                 # the first piece of the shared memory is the clock
DEVICE = "/sys/bus/pci/devices/0000:00:10.0/resource2"
DISK_BYTES = 64 << 20
HERE = os.path.dirname(os.path.abspath(__file__))


class Channel:
    """Runs commands in a guest, one after the other. Every line of output is stamped with the
    host's clock as it arrives."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.changed = threading.Condition()
        self.lines = []         # (time, text) of the command under way
        self.status = None      # its exit status; "ready" once the guest is; None while it runs
        self.closed = False

    def connect(self, deadline):
        while True:
            try:
                self.socket.connect(self.path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            now = time.monotonic()
            with self.changed:
                if not data:
                    self.closed = True
                    self.changed.notify_all()
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"\x01"):
                        self.status = line[1:].decode()
                    elif line:
                        self.lines.append((now, line.decode(errors="replace")))
                self.changed.notify_all()

    def start(self, command):
        with self.changed:
            self.lines = []
            self.status = None
        self.socket.sendall(command.encode() + b"\n")

    def wait(self, timeout):
        """Exit status of the command and its lines; None if there is none in time."""
        with self.changed:
            self.changed.wait_for(lambda: self.status is not None or self.closed, timeout)
            return self.status, [text for _, text in self.lines]

    def stamped(self):
        with self.changed:
            return list(self.lines)


class Monitor:
    """QMP of one guest."""

    def __init__(self, path, deadline):
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rw")
        self.events = set()
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        words = {"execute": command}
        if arguments:
            words["arguments"] = {name.replace("_", "-"): value
                                  for name, value in arguments.items()}
        self.file.write(json.dumps(words) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "event" in answer:
                self.events.add(answer["event"])
            elif "error" in answer:
                raise OSError(f"{command}: {answer['error']['desc']}")
            else:
                return answer["return"]


    def wait(self, event, timeout):
        """Until an event has come since the last time somebody waited for it."""
        deadline = time.monotonic() + timeout
        while event not in self.events:
            if time.monotonic() > deadline:
                raise OSError(f"no {event}")
            time.sleep(0.02)
            self("query-status")        # what has come before its answer is read
        self.events.discard(event)


class Member(rig.Machine):
    """One guest: its QEMU, its monitor, its control channels. It lives until it is killed; another
    one takes its place then, with the same disk."""

    def __init__(self, network, number, image=None):
        super().__init__(network.kernel, os.path.join(network.out, str(number)))
        self.up = False         # it has been ready once
        if os.path.exists(self.console):
            os.unlink(self.console)
        sockets = network.sockets
        paths = [f"{sockets}/c{number}.{index}" for index in range(network.channel_count)]
        monitor = f"{sockets}/q{number}"
        for path in paths + [monitor]:
            if os.path.exists(path):
                os.unlink(path)
        line = rig.qemu_line(network.kernel, network.root, self.console, 1, network.memory)
        line += ["-append", rig.append_line(network.append)]
        line += ["-netdev", f"dgram,id=net,local.type=unix,local.path={sockets}/l{number},"
                 f"remote.type=unix,remote.path={sockets}/r{number}",
                 "-device",
                 f"virtio-net-pci,netdev=net,mac=52:54:00:00:00:{number:02x},romfile="]
        line += ["-drive", f"file={network.disk(number)},if=none,id=disk,format=raw,cache=unsafe",
                 "-device", "virtio-blk-pci,drive=disk"]
        line += ["-device", "virtio-serial-pci"]
        for index, path in enumerate(paths):
            line += ["-chardev", f"socket,id=c{index},path={path},server=on,wait=off",
                     "-device", f"virtserialport,chardev=c{index},name=control{index}"]
        line += ["-qmp", f"unix:{monitor},server=on,wait=off"]
        line += network.qemu_options(number)
        # What is here first is there when the guest begins.
        line += ["-incoming", "defer"] if image else ["-S"]
        self.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        self.monitor = Monitor(monitor, deadline)
        self.shared = {"qom_type": "memory-backend-file", "share": True,
                       "mem_path": network.shared, "size": (HISTORIES + 1) * HISTORY_BYTES}
        self.shares = 0
        self.channels = [Channel(path) for path in paths]
        for channel in self.channels:
            channel.connect(deadline)
        if image:
            self._come_in(image)
        else:
            self.share()
            self.monitor("cont")

    def _come_in(self, image):
        self.monitor("migrate-incoming", uri="exec:cat " + image)
        self._until_migrated()
        self.channels[0].status = "ready"       # the others may be at what they were at
        self.monitor("cont")            # it was stopped when the image was made

    def _until_migrated(self):
        deadline = time.monotonic() + 60
        while True:
            status = self.monitor("query-migrate").get("status")
            if status == "completed":
                break
            if status == "failed" or time.monotonic() > deadline:
                raise OSError(f"migration: {status}")
            time.sleep(0.02)

    def save(self, image, meanwhile):
        """Write an image of the guest as it is now; it goes on, after meanwhile(), of which it
        sees nothing. The shared memory is everybody's and no part of it: nothing may use it."""
        self.monitor("device_del", id="shared")
        self.monitor.wait("DEVICE_DELETED", 60)
        self.monitor("object-del", id=f"memory{self.shares}")
        self.monitor("migrate-set-parameters", max_bandwidth=1 << 40)
        self.monitor("stop")
        self.monitor("migrate", uri="exec:cat >" + image)
        self._until_migrated()
        meanwhile()
        self.monitor("cont")
        self.share()

    def share(self):
        """Plug the shared memory in. QEMU 7.2 cannot use an object for it twice."""
        self.shares += 1
        memory = f"memory{self.shares}"
        self.monitor("object-add", id=memory, **self.shared)
        self.monitor("device_add", driver="ivshmem-plain", id="shared", memdev=memory, master=True,
                     addr="0x10")

    def kill(self):
        """SIGKILL: its memory is gone in the middle of an instruction."""
        self.process.kill()
        self.process.wait()


class Network:
    """Guests 1..count at 10.0.0.1.. on one switch. A context manager: nothing outlives it."""

    def __init__(self, kver, count, channels=2, memory="256M", out=None, seed=1,
                 qemu_options=lambda number: [], append=()):
        self.kernel = rig.Kernel(kver)
        self.root = root.image(rig.TOP, self.kernel)
        self.count = count
        self.channel_count = channels
        self.memory = memory
        self.seed = seed
        self.qemu_options = qemu_options
        self.append = append
        self.out = out or os.path.join(rig.TOP, "build/guest/network")
        self.guests = {}
        self.history_count = 0

    def __enter__(self):
        self.sockets = tempfile.mkdtemp(prefix="vrseq-net.")
        self.shared = os.path.join(self.sockets, "shared")
        self.processes = []
        try:
            with open(self.shared, "wb") as file:
                file.truncate((HISTORIES + 1) * HISTORY_BYTES)
            self._helper([os.path.join(rig.TOP, "build/selftests/lin_clock"), self.shared])
            self._helper([sys.executable, os.path.join(HERE, "switch.py"), self.sockets,
                          str(self.count), str(self.seed)])
            self.switch = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.switch.connect(os.path.join(self.sockets, "control"))
            self.answers = self.switch.makefile("r")
            for number in range(1, self.count + 1):
                self.boot(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _helper(self, line):
        process = subprocess.Popen(line, stdout=subprocess.PIPE, preexec_fn=rig.die_with_parent)
        self.processes.append(process)
        process.stdout.readline()

    def __exit__(self, *_):
        for guest in self.guests.values():
            guest.kill()
        for process in self.processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)

    # --- guests ---

    @property
    def channels(self):
        return {number: guest.channels for number, guest in self.guests.items()}

    def boot(self, number):
        self.guests[number] = Member(self, number)

    def ready(self, number, timeout):
        """Wait until the guest answers, then give it its address."""
        for channel in self.channels[number]:
            if channel.wait(timeout)[0] != "ready":
                return False
        status, _ = self.run(number, f"ip link set eth0 up && ip address add 10.0.0.{number}/24 "
                             f"dev eth0 && echo node{number} >/proc/sys/kernel/hostname", timeout)
        self.guests[number].up = status == "0"
        return self.guests[number].up

    def run(self, number, command, timeout=60, channel=0):
        self.channels[number][channel].start(command)
        return self.channels[number][channel].wait(timeout)

    def power_cut(self, *numbers):
        """SIGKILL: the memory of these is gone in the middle of an instruction, at once."""
        for number in numbers:
            self.guests[number].process.kill()
        for number in numbers:
            self.guests[number].kill()

    def pause(self, number):
        """SIGSTOP: to the guest, time passes in which it did nothing."""
        self.guests[number].process.send_signal(signal.SIGSTOP)

    def go_on(self, number):
        self.guests[number].process.send_signal(signal.SIGCONT)

    def freeze(self, number):
        """QMP stop: the guest's clocks stand still too."""
        self.guests[number].monitor("stop")

    def thaw(self, number):
        self.guests[number].monitor("cont")

    def save(self, number, meanwhile=lambda: None):
        """An image of the guest as it is now. Path."""
        path = os.path.join(self.sockets, f"image{number}")
        self.guests[number].save(path, meanwhile)
        return path

    def roll_back(self, number, image):
        """The guest is as it was when the image was made, and does not know, unless told."""
        self.guests[number].kill()
        self.guests[number] = Member(self, number, image)
        self.guests[number].up = True

    def until(self, number, status, timeout=60):
        """Wait until QEMU says so of the guest: suspended, running, shutdown."""
        deadline = time.monotonic() + timeout
        while self.guests[number].monitor("query-status")["status"] != status:
            if time.monotonic() > deadline:
                raise OSError(f"guest {number} is not {status}")
            time.sleep(0.05)

    def wake(self, number):
        self.guests[number].monitor("system_wakeup")

    def disk(self, number):
        """What is /dev/vda there, and kept over power cuts; blank at first."""
        path = os.path.join(self.sockets, f"disk{number}")
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.truncate(DISK_BYTES)
        return path

    # --- links ---

    def links(self, pairs, **faults):
        """Tell the switch about some directed links, None = all. What it has counted there."""
        self.switch.sendall(json.dumps(dict(faults, links=pairs)).encode() + b"\n")
        return json.loads(self.answers.readline())

    def record(self, name):
        """The switch writes down each frame from now on; "" = no more. Path."""
        path = os.path.join(self.sockets, name) if name else ""
        self.links(None, record=path)
        return path

    def play(self, path, timeout=300):
        """All that was written down there is sent again; returns when it has been."""
        deadline = time.monotonic() + timeout
        left = self.links(None, play=path)["left"]
        while left:
            if time.monotonic() > deadline:
                raise OSError(f"{left} frames are not played")
            time.sleep(0.1)
            left = self.links(None)["left"]

    def cut(self, sources, targets):
        """Nothing from these gets to those any more."""
        self.links([(a, b) for a in sources for b in targets if a != b], cut=True)

    def partition(self, *groups):
        """Those of a group hear only their own."""
        for group in groups:
            rest = [b for other in groups if other is not group for b in other]
            self.cut(group, rest)

    def heal(self):
        return self.links(None, heal=True)

    # --- histories ---

    def forget_histories(self):
        """Nobody records any more, nor looks at what there is: the room is free again."""
        with open(self.shared, "r+b") as file:
            for number in range(1, self.history_count + 1):
                file.seek(number * HISTORY_BYTES)
                if file.read(HISTORY_BYTES).strip(b"\0"):
                    file.seek(number * HISTORY_BYTES)
                    file.write(bytes(HISTORY_BYTES))
        self.history_count = 0

    def history(self):
        """Room for the history of one program in a guest: what to give it as -o FILE."""
        self.history_count += 1
        assert self.history_count <= HISTORIES
        return f"{DEVICE}@{self.history_count * HISTORY_BYTES}"

    def histories(self, directory):
        """What all programs have recorded so far, as files for lin_check."""
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        paths = []
        with open(self.shared, "rb") as file:
            for number in range(1, self.history_count + 1):
                file.seek(number * HISTORY_BYTES)
                data = file.read(HISTORY_BYTES).rstrip(b"\0")
                paths.append(os.path.join(directory, str(number)))
                with open(paths[-1], "wb") as out:
                    out.write(data + bytes(-len(data) % 64))
        return paths
