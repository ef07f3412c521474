# SPDX-License-Identifier: GPL-2.0
"""Stock Debian kernels as QEMU guests that share the host's root.

Owns: the initramfs, the QEMU command line, the life of QEMU processes, what a healthy kernel log
looks like. Does not know what runs inside a guest.

A guest is the stock kernel, an initramfs that mounts the host's root read-only over 9p under a
tmpfs overlay, and init.sh, run from the repository, which starts one command. Whatever the guest
does, its exit status comes back as a file in a writable share, so a guest that panics, hangs or
is killed cannot look like one that passed.
"""
import ctypes
import functools
import mmap
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INIT = os.path.join(TOP, "selftests/qemu/init.sh")

# What the initramfs must load before the host's root is there; the rest comes from it by modprobe.
BOOT_MODULES = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"]

INITRAMFS_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module; done
mkdir -p /host /over /root
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=262144,ro root /host
mount -t tmpfs -o size=75% tmpfs /over
mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work overlay /root
for dir in proc sys dev; do mount --move /$dir /root/$dir; done
exec switch_root /root /bin/sh $rig_init
"""


def shared(shell):
    """What a shell command says with selftests/rig.sh, where all rigs agree, loaded."""
    return subprocess.run(["sh", "-c", ". selftests/rig.sh && " + shell], cwd=TOP, check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


SPLAT = re.compile(shared('echo "$rig_splat"'))
CACHE = shared('echo "$rig_cache"')


class Kernel:
    """A stock kernel out of the cache, or the one with KCSAN, and the initramfs that boots it."""

    def __init__(self, kver):
        self.kver = kver
        if kver == "kcsan":
            self.image = shared("selftests/kcsan/build.sh")
            with open(os.path.join(self.image, "release")) as file:
                self.release = file.read().strip()
        else:
            self.release = shared("rig_release " + shlex.quote(kver))
            self.image = os.path.join(CACHE, "image-" + self.release)
        self.vmlinuz = os.path.join(self.image, "boot/vmlinuz-" + self.release)
        if not os.path.exists(self.vmlinuz):
            raise SystemExit(f"no stock kernel {self.release}: run selftests/provision.sh qemu")
        self.initramfs = self._build_initramfs()

    def module_files(self, names):
        """Files to load for the named modules, in the order to load them."""
        files = []
        for name in names:
            out = subprocess.run(["modprobe", "-d", self.image, "-S", self.release,
                                  "--show-depends", name],
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
            for line in out.splitlines():
                if line.startswith("insmod ") and line.split()[1] not in files:
                    files.append(line.split()[1])
        return files

    def _build_initramfs(self):
        key = ctypes.c_uint32(hash_text(INITRAMFS_INIT + " ".join(BOOT_MODULES))).value
        path = os.path.join(self.image, f"initramfs-{key:08x}.gz")
        if os.path.exists(path):
            return path
        with tempfile.TemporaryDirectory() as root:
            for name in ("bin", "proc", "sys", "dev", "modules"):
                os.mkdir(os.path.join(root, name))
            busybox = os.path.join(root, "bin/busybox")
            shutil.copy("/bin/busybox", busybox)
            for applet in ("sh", "mount", "insmod", "mkdir", "cat", "switch_root"):
                os.symlink("busybox", os.path.join(root, "bin", applet))
            order = []
            for file in self.module_files(BOOT_MODULES):
                name = os.path.basename(file)
                with open(os.path.join(root, "modules", name.removesuffix(".xz")), "wb") as out:
                    if name.endswith(".xz"):
                        subprocess.run(["xz", "-dc", file], check=True, stdout=out)
                    else:
                        subprocess.run(["cat", file], check=True, stdout=out)
                order.append(name.removesuffix(".xz"))
            with open(os.path.join(root, "modules/order"), "w") as out:
                out.write("\n".join(order) + "\n")
            with open(os.path.join(root, "init"), "w") as out:
                out.write(INITRAMFS_INIT)
            os.chmod(os.path.join(root, "init"), 0o755)
            new = f"{path}.{os.getpid()}"
            subprocess.run("find . | cpio -o -H newc --quiet -R 0:0 | gzip -1 > " +
                           shlex.quote(new), shell=True, cwd=root, check=True)
            os.rename(new, path)
        return path


def hash_text(text):
    import zlib
    return zlib.crc32(text.encode())


def die_with_parent():
    """In a child before exec: be killed when the rig is, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@functools.cache
def tsc_khz():
    """How fast this processor's time-stamp counter counts, which is what an emulated one shows,
    too; None on a machine that has none."""
    if platform.machine() != "x86_64":
        return None
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # rdtsc; shl $32, %rdx; or %rdx, %rax; ret
    code.write(bytes.fromhex("0f31 48c1e220 4809d0 c3"))
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))

    def look():
        """The time and the counter, of the try that took least."""
        tries = []
        for _ in range(20):
            before, ticks, after = time.monotonic_ns(), read(), time.monotonic_ns()
            tries.append((after - before, before, ticks))
        return min(tries)[1:]

    begin_ns, begin_ticks = look()
    time.sleep(0.2)
    end_ns, end_ticks = look()
    return round((end_ticks - begin_ticks) * 1000000 / (end_ns - begin_ns))


def append_line(words=(), clock_is_counted=False):
    """The kernel command line of every guest: what goes wrong ends it. On a loaded machine emulated
    clocks and timers look wrong to the guest. It must not find that out: it would give up at boot,
    or patch code that the other processor runs (see hold_static_keys). Nor may it find out by
    itself how fast its clock is: it looks for so short a time that one that was not run meanwhile
    takes its clock for slower than it is, and from then on all of its seconds are too short."""
    khz = None if clock_is_counted else tsc_khz()
    if khz:
        words = [f"tsc_early_khz={khz}", *words]
    return " ".join(["console=ttyS0", "loglevel=5", "panic=-1", "oops=panic", "panic_on_warn=1",
                     "hung_task_panic=1", "softlockup_panic=1", "net.ifnames=0",
                     "mitigations=off", "tsc=reliable", "no_timer_check", *words])


def qemu_line(kernel, initramfs, console, smp, memory, cpu="max", accel=None):
    """What all guests have in common; without -append."""
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-m", memory, "-kernel", kernel.vmlinuz, "-initrd", initramfs,
            "-cpu", cpu, "-smp", str(smp), "-serial", "file:" + console] + \
        (accel or ["-accel", "tcg,thread=multi"])


class Machine:
    """A QEMU process and what its kernel said. What is in it is said by those who inherit."""

    def __init__(self, kernel, directory):
        self.kernel = kernel
        self.directory = os.path.abspath(directory)
        self.console = os.path.join(self.directory, "console.log")
        os.makedirs(self.directory, exist_ok=True)

    def run(self, line, **keywords):
        self.process = subprocess.Popen(line, preexec_fn=die_with_parent, **keywords)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        """The kernel's log: what the guest saved at its end, else what reached the console."""
        for name in ("dmesg", "console.log"):
            try:
                with open(os.path.join(self.directory, name), errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            if text:
                return text.splitlines()
        return []

    def splats(self):
        """The parts of the kernel's log that no test may cause, with what follows them."""
        lines = self.log()
        keep = set()
        for number, line in enumerate(lines):
            if SPLAT.search(line):
                keep.update(range(max(0, number - 3), min(len(lines), number + 25)))
        return [lines[number] for number in sorted(keep)]


class Guest(Machine):
    """A guest that runs one command. Its directory holds what passes between it and the host:
    command (what to run), status (its exit code), console.log (the kernel's words)."""

    def __init__(self, kernel, directory, command, environment=None, smp=2, memory="1G",
                 deterministic=False, debug=True):
        super().__init__(kernel, directory)
        for name in ("status", "console.log", "dmesg"):
            if os.path.exists(os.path.join(self.directory, name)):
                os.unlink(os.path.join(self.directory, name))
        variables = {
            "KVER": kernel.kver,
            "VRSEQ_KO": os.path.join(TOP, "build", kernel.kver, "vrseq.ko"),
            "VRSEQ_OUT": self.directory,
            "PATH": os.path.join(TOP, "build") + ":/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
        }
        variables.update(environment or {})
        with open(os.path.join(self.directory, "command"), "w") as out:
            for name, value in variables.items():
                out.write(f"export {name}={shlex.quote(value)}\n")
            out.write("exec " + " ".join(shlex.quote(word) for word in command) + "\n")
        # At end of file on its stdin QEMU would hang up the guest's stdout: keep a pipe open.
        self.run(self._command_line(smp, memory, deterministic, debug), stdin=subprocess.PIPE)

    def _command_line(self, smp, memory, deterministic, debug):
        append = [f"rig_init={INIT}", f"rig_dir={self.directory}",
                  f"rig_image={self.kernel.image}", f"rig_top={TOP}"]
        if smp > 1:
            # Booting patches code. QEMU's second processor may still run what was there before
            # (sched_clock_cpu on 6.12 died of it): there is none until init.sh wakes it.
            append.append("maxcpus=1")
        if self.kernel.kver == "kcsan":
            append.append("panic_on_warn=0")    # all races, not only the first
        cpu, accel = "max", None
        if deterministic:
            # An instruction is a nanosecond and the clock moves only with instructions; string
            # instructions that would count as one for any length are hidden from the guest.
            smp = 1
            cpu = "max,-rdrand,-rdseed,-erms,-fsrm"
            accel = ["-accel", "tcg", "-icount", "shift=0,sleep=off",
                     "-rtc", "base=2026-01-01,clock=vm"]
            append += ["nokaslr", "random.trust_bootloader=off"]
        if debug and not deterministic:
            # Only the caches a module's objects come from: all of them, or the pages themselves,
            # would double the time that everything takes.
            append += ["slub_debug=FZPU,kmalloc-*,skbuff*,vrseq*"]
        line = qemu_line(self.kernel, self.kernel.initramfs, self.console, smp, memory, cpu, accel)
        line += ["-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,"
                 "multidevs=remap"]
        line += ["-virtfs", f"local,path={self.directory},mount_tag=out,security_model=none"]
        line += ["-device", "virtio-serial-pci", "-chardev", "stdio,id=stdout,signal=off",
                 "-device", "virtserialport,chardev=stdout,name=stdout"]
        return line + ["-append", append_line(append, deterministic)]

    def wait(self, timeout):
        """Exit status of the command; 124 after the timeout, 125 if the guest died without one,
        126 if the command passed but the kernel complained."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return 124
        try:
            with open(os.path.join(self.directory, "status")) as file:
                status = int(file.read())
        except (OSError, ValueError):
            return 125
        return 126 if status == 0 and self.splats() else status
