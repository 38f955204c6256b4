# SPDX-License-Identifier: GPL-2.0-only
"""A program (BPF, sk_lookup) that has a listener receive what is meant for a port on which nobody listens."""

import ctypes
import os
import struct

from refusal import ProgLoad, bpf

BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM, BPF_PROG_LOAD, BPF_LINK_CREATE = 0, 2, 5, 28
BPF_MAP_TYPE_SOCKMAP, BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP = 15, 30, 36
PSEUDO_MAP_FD, MAP_LOOKUP_ELEM, SK_ASSIGN, SK_RELEASE = 1, 1, 124, 86
LOCAL_PORT = 60                 # in struct bpf_sk_lookup


class MapCreate(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32), ("key_size", ctypes.c_uint32), ("value_size", ctypes.c_uint32),
                ("max_entries", ctypes.c_uint32)]


class MapElem(ctypes.Structure):
    _fields_ = [("map_fd", ctypes.c_uint64), ("key", ctypes.c_void_p), ("value", ctypes.c_void_p), ("flags", ctypes.c_uint64)]


class LinkCreate(ctypes.Structure):
    _fields_ = [("prog_fd", ctypes.c_uint32), ("target_fd", ctypes.c_uint32), ("attach_type", ctypes.c_uint32),
                ("flags", ctypes.c_uint32)]


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("=BBhi", code, src << 4 | dst, off, imm)


def program(port, map_fd):
    return b"".join((
        insn(0xbf, 6, 1),                                       # r6 = ctx
        insn(0x61, 1, 6, LOCAL_PORT),
        insn(0x55, 1, 0, 14, port),                             # another port: to the end
        insn(0x62, 10, 0, -4, 0),                               # key 0
        insn(0xbf, 2, 10), insn(0x07, 2, 0, 0, -4),
        insn(0x18, 1, PSEUDO_MAP_FD, 0, map_fd), insn(0),
        insn(0x85, 0, 0, 0, MAP_LOOKUP_ELEM),
        insn(0x15, 0, 0, 7, 0),                                 # no such socket: to the end
        insn(0xbf, 7, 0),
        insn(0xbf, 1, 6), insn(0xbf, 2, 0), insn(0xb7, 3),
        insn(0x85, 0, 0, 0, SK_ASSIGN),
        insn(0xbf, 1, 7), insn(0x85, 0, 0, 0, SK_RELEASE),
        insn(0xb7, 0, 0, 0, 1), insn(0x95)))                    # SK_PASS


class Steer:
    """For as long as it lasts, connections to the port come to the listener."""

    def __init__(self, listener, port):
        self.listener, self.port, self.fds = listener, port, []

    def __enter__(self):
        map_fd = bpf(BPF_MAP_CREATE, MapCreate(BPF_MAP_TYPE_SOCKMAP, 4, 8, 1))
        key, value = ctypes.c_uint32(0), ctypes.c_uint64(self.listener.fileno())
        bpf(BPF_MAP_UPDATE_ELEM, MapElem(map_fd, ctypes.addressof(key), ctypes.addressof(value)))
        code = program(self.port, map_fd)
        prog = bpf(BPF_PROG_LOAD, ProgLoad(type=BPF_PROG_TYPE_SK_LOOKUP, insn_cnt=len(code) // 8, insns=code, license=b"GPL",
                                           attach_type=BPF_SK_LOOKUP))
        netns = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.fds = [map_fd, prog, netns, bpf(BPF_LINK_CREATE, LinkCreate(prog, netns, BPF_SK_LOOKUP))]
        return self

    def __exit__(self, *unused):
        for fd in reversed(self.fds):
            os.close(fd)
