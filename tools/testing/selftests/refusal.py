# SPDX-License-Identifier: GPL-2.0-only
"""A control group whose program refuses bind() after the kernel allowed it."""

import ctypes
import os
import subprocess

import harness

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
BPF_PROG_LOAD, BPF_PROG_ATTACH = 5, 8
BPF_PROG_TYPE_CGROUP_SOCK = 9
POST_BIND = (12, 13)            # BPF_CGROUP_INET4_POST_BIND, BPF_CGROUP_INET6_POST_BIND
RETURN_0 = bytes((0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0))

# Until 5.17 the socket keeps the port that it was refused.
FREES_PORT = tuple(map(int, os.uname().release.split(".")[:2])) >= (5, 17)


class ProgLoad(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32), ("insn_cnt", ctypes.c_uint32), ("insns", ctypes.c_char_p),
                ("license", ctypes.c_char_p), ("log", ctypes.c_uint64 * 2), ("kern_version", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("name", ctypes.c_char * 16), ("ifindex", ctypes.c_uint32),
                ("attach_type", ctypes.c_uint32)]


class ProgAttach(ctypes.Structure):
    _fields_ = [("target_fd", ctypes.c_uint32), ("prog_fd", ctypes.c_uint32), ("type", ctypes.c_uint32),
                ("flags", ctypes.c_uint32)]


def bpf(command, attr):
    return harness.check(harness.libc.syscall(SYS_BPF, command, ctypes.byref(attr), ctypes.sizeof(attr)), f"bpf({command})")


class Refusal:
    """This process is in the group for as long as it lasts; sockets made meanwhile are for ever."""

    def __init__(self):
        self.root = "/tmp/cgroup"
        self.group = self.root + "/refusal"

    def join(self, group):
        with open(group + "/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")

    def __enter__(self):
        os.makedirs(self.root, exist_ok=True)
        subprocess.run(("mount", "-t", "cgroup2", "cgroup2", self.root), check=True)
        os.mkdir(self.group)
        group = os.open(self.group, os.O_RDONLY)
        for kind in POST_BIND:
            prog = bpf(BPF_PROG_LOAD, ProgLoad(type=BPF_PROG_TYPE_CGROUP_SOCK, insn_cnt=2, insns=RETURN_0, license=b"GPL",
                                               attach_type=kind))
            bpf(BPF_PROG_ATTACH, ProgAttach(target_fd=group, prog_fd=prog, type=kind))
            os.close(prog)
        os.close(group)
        self.join(self.group)
        return self

    def __exit__(self, *unused):
        self.join(self.root)
        os.rmdir(self.group)
        subprocess.run(("umount", self.root), check=True)
