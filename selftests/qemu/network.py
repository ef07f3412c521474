# SPDX-License-Identifier: GPL-2.0
"""Several guests on one virtual network, each with control channels.

Owns: the switch process, addresses, the control protocol of control.sh. Does not know what is run.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import rig

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


class Network:
    """Guests 1..count at 10.0.0.1.. on one switch. A context manager: nothing outlives it."""

    def __init__(self, kver, count, channels=2, memory="320M", out=None):
        self.kernel = rig.Kernel(kver)
        self.count = count
        self.channel_count = channels
        self.memory = memory
        self.out = out or os.path.join(rig.TOP, "build/guest/network")
        self.guests = {}
        self.channels = {}

    def __enter__(self):
        self.sockets = tempfile.mkdtemp(prefix="vrseq-net.")
        try:
            self.switch = subprocess.Popen(
                [sys.executable, os.path.join(HERE, "switch.py"), self.sockets, str(self.count)],
                stdout=subprocess.PIPE, preexec_fn=rig.die_with_parent)
            self.switch.stdout.readline()
            for number in range(1, self.count + 1):
                self.boot(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for guest in self.guests.values():
            guest.kill()
        self.switch.kill()
        self.switch.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def boot(self, number):
        options = [
            "-netdev", f"dgram,id=net,local.type=unix,local.path={self.sockets}/l{number},"
            f"remote.type=unix,remote.path={self.sockets}/r{number}",
            "-device", f"virtio-net-pci,netdev=net,mac=52:54:00:00:00:{number:02x},romfile="]
        paths = []
        for index in range(self.channel_count):
            paths.append(f"{self.sockets}/c{number}.{index}")
            options += ["-chardev", f"socket,id=c{index},path={paths[-1]},server=on,wait=off",
                        "-device", f"virtserialport,chardev=c{index},name=control{index}"]
        self.guests[number] = rig.Guest(
            self.kernel, os.path.join(self.out, str(number)), [os.path.join(HERE, "control.sh")],
            smp=1, memory=self.memory, debug=False, qemu_options=options,
            stdout=subprocess.DEVNULL)
        self.channels[number] = [Channel(path) for path in paths]
        for channel in self.channels[number]:
            channel.connect(time.monotonic() + 30)

    def ready(self, number, timeout):
        """Wait until the guest answers, then give it its address."""
        for channel in self.channels[number]:
            if channel.wait(timeout)[0] != "ready":
                return False
        status, _ = self.run(number, f"ip link set eth0 up && ip address add 10.0.0.{number}/24 "
                             f"dev eth0 && echo node{number} >/proc/sys/kernel/hostname", timeout)
        return status == "0"

    def run(self, number, command, timeout=60, channel=0):
        self.channels[number][channel].start(command)
        return self.channels[number][channel].wait(timeout)

    def power_cut(self, number):
        """SIGKILL: the guest's memory is gone in the middle of an instruction."""
        self.guests[number].kill()
