# SPDX-License-Identifier: GPL-2.0
"""The root of a guest that depends on nothing outside: an initramfs with all it runs.

Owns: which programs and kernel modules are in it, and its init. A guest with a share of the host
mounted could neither be saved and rolled back nor outlive what the host does to its files; and
programs that come out of memory start several times faster than out of a share.
"""
import os
import shlex
import shutil
import subprocess
import tempfile

# From the host, with the libraries they want. busybox has the rest.
PROGRAMS = ["/bin/bash", "/sbin/ip", "/bin/kmod", "/usr/bin/stdbuf", "/sbin/dmsetup",
            "/sbin/mkfs.ext4"]
KMOD_NAMES = ["insmod", "rmmod", "modprobe", "lsmod"]
LIBRARIES = ["/usr/libexec/coreutils/libstdbuf.so"]
# From build/; what a test runs in a guest.
OURS = ["vrseq", "selftests/lin_client", "selftests/lin_reader", "selftests/member_status"]
# Loaded in this order; the others are there for modprobe.
BOOT_MODULES = ["virtio_pci", "virtio_console", "virtio_net", "virtio_blk",
                "udp_tunnel", "ip6_udp_tunnel", "libchacha20poly1305"]
MORE_MODULES = ["ext4", "dm-flakey", "dm-delay"]

INIT = """#!/bin/bash
export PATH=/usr/bin HOME=/root LC_ALL=C VRSEQ_KO=/vrseq.ko LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
	ln -s "/proc/self/${link#*:}" "/dev/${link%:*}"
done
modprobe -a $(cat /boot-modules)
ip link set lo up
. /control.sh
"""


def _libraries(program):
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True).stdout
    words = [word for line in out.splitlines() for word in line.split()]
    return {word for word in words if word.startswith("/")}


def _sources(top, kver):
    """Everything of ours that is in the image: it is built anew when one of them is newer."""
    build = os.path.join(top, "build")
    return [os.path.join(build, name) for name in OURS] + [
        os.path.join(build, kver, "vrseq.ko"), os.path.abspath(__file__),
        os.path.join(top, "selftests/qemu/control.sh")]


def _copy_modules(kernel, root):
    target = os.path.join(root, "lib/modules", kernel.release)
    base = os.path.join(kernel.image, "lib/modules", kernel.release)
    os.makedirs(target)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(os.path.join(base, name), target)
    for file in kernel.module_files(BOOT_MODULES + MORE_MODULES):
        path = os.path.join(target, os.path.relpath(file, base).removesuffix(".xz"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            command = ["xz", "-dc"] if file.endswith(".xz") else ["cat"]
            subprocess.run(command + [file], check=True, stdout=out)
    subprocess.run(["/sbin/depmod", "-b", root, kernel.release], check=True)


def _fill(top, kernel, root):
    for name in ("usr/bin", "lib", "lib64", "proc", "sys", "dev", "run", "tmp", "root", "mnt"):
        os.makedirs(os.path.join(root, name))
    for name in ("bin", "sbin"):
        os.symlink("usr/bin", os.path.join(root, name))
    shutil.copy("/bin/busybox", os.path.join(root, "usr/bin/busybox"))
    applets = subprocess.run(["/bin/busybox", "--list"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            os.symlink("busybox", os.path.join(root, "usr/bin", applet))
    wanted = set()
    programs = PROGRAMS + [os.path.join(top, "build", name) for name in OURS]
    for program in programs:
        path = os.path.join(root, "usr/bin", os.path.basename(program))
        if os.path.lexists(path):
            os.unlink(path)
        shutil.copy(os.path.realpath(program), path)
        wanted |= _libraries(program)
    for name in KMOD_NAMES:
        path = os.path.join(root, "usr/bin", name)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink("kmod", path)
    for library in wanted:
        directory = "lib64" if os.path.basename(library).startswith("ld-") else "lib"
        shutil.copy(library, os.path.join(root, directory))
    for library in LIBRARIES:
        path = os.path.join(root, library.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(library, path)
    _copy_modules(kernel, root)
    shutil.copy(os.path.join(top, "build", kernel.kver, "vrseq.ko"), root)
    shutil.copy(os.path.join(top, "selftests/qemu/control.sh"), root)
    with open(os.path.join(root, "boot-modules"), "w") as out:
        out.write(" ".join(BOOT_MODULES) + "\n")
    with open(os.path.join(root, "init"), "w") as out:
        out.write(INIT)
    os.chmod(os.path.join(root, "init"), 0o755)


def image(top, kernel):
    """Path of the initramfs; not compressed, as an emulated processor would take seconds."""
    path = os.path.join(top, "build/guest", f"root-{kernel.kver}.cpio")
    sources = _sources(top, kernel.kver)
    for source in sources:
        if not os.path.exists(source):
            raise SystemExit(f"{os.path.relpath(source, top)} is not built: run make")
    if os.path.exists(path) and os.path.getmtime(path) > max(map(os.path.getmtime, sources)):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        _fill(top, kernel, root)
        new = f"{path}.{os.getpid()}"
        subprocess.run("find . | cpio -o -H newc --quiet -R 0:0 > " + shlex.quote(new),
                       shell=True, cwd=root, check=True)
        os.rename(new, path)
    return path
