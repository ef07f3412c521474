# SPDX-License-Identifier: GPL-2.0
"""The disk of a guest: a file system on the device mapper, which can make it fail.

Owns: how it is made, mounted after a boot, told to fail, and put away. What the device was given
outlives its machine; what only the page cache has does not, so whoever wants something to outlive a
power cut must fsync it. Shell commands, for whoever has a channel to the guest.
"""
import network

PLACE = "/disk"
USUAL = "^resize_inode"
# A file system whose own journal loses writes may lose all files of old.
NO_JOURNAL = "^resize_inode,^has_journal"
_SECTORS = network.DISK_BYTES // 512
_NAME = "disk"
_DEVICE = "/dev/vda"

# What it can be, as tables of the device mapper.
SOUND = f"0 {_SECTORS} linear {_DEVICE} 0"
_BAD = f"0 {_SECTORS} flakey {_DEVICE} 0 0 3600 1 "
ERROR_WRITES = _BAD + "error_writes"    # nothing can be written, all can be read
DROP_WRITES = _BAD + "drop_writes"      # it says that it wrote, and did not

_IS_THERE = f"grep -q ' {PLACE} ' /proc/mounts"
AWAY = (f"{{ ! {_IS_THERE} || umount {PLACE}; }} && "
        f"{{ [ ! -e /dev/mapper/{_NAME} ] || dmsetup remove --noudevsync {_NAME}; }}")
MOUNT = (f"{{ {_IS_THERE} || {{ modprobe -a ext4 dm-mod dm-flakey && "
         f"dmsetup create --noudevsync {_NAME} --table '{SOUND}' && dmsetup mknodes && "
         f"mkdir -p {PLACE} && "
         f"mount -t ext4 -o errors=continue /dev/mapper/{_NAME} {PLACE}; }}; }}")
STOP = f"dmsetup suspend --noflush --nolockfs {_NAME}"
GO_ON = f"dmsetup resume --noudevsync {_NAME}"
# Until there is no block left.
FILL = f"dd if=/dev/zero of={PLACE}/fill bs=4k 2>/dev/null; sync"


def blank(features):
    """A new file system. -m 0: what is full is full for root, too."""
    return f"{AWAY} && mkfs.ext4 -q -F -b 4096 -m 0 -O {features} -E nodiscard {_DEVICE}"


def becomes(table):
    """From now on the device does as that says; what is in the page cache stays there."""
    return f"{STOP} && dmsetup load {_NAME} --table '{table}' && {GO_ON}"
