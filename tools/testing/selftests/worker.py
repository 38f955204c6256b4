# SPDX-License-Identifier: GPL-2.0-only
"""Processes that make the socket calls they are told, one after the other.

Orders and answers are datagrams between AF_UNIX sockets that have a name in a directory: a process finds the others
whichever network namespace it is in, and so does a child. Descriptors travel to a second socket of the process (its
mail) and are on their way until the process is told to take them. No call blocks.
"""

import errno
import marshal
import os
import select
import socket
import traceback

import harness
import protocols

HANDSHAKE = (socket.IPPROTO_TCP, protocols.IPPROTO_DCCP, protocols.IPPROTO_MPTCP)      # whose connect() is asked twice


def polled(sock, events):
    poll = select.poll()
    poll.register(sock, events)
    return any(got & events for _, got in poll.poll(0))


class Worker:
    """The process itself. Its methods named do_... are orders."""

    def __init__(self, home, number, told):
        self.home, self.told, self.socks = home, told, {}
        self.begin(number)

    def begin(self, number):
        self.number = number
        self.orders, self.mail = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
        self.orders.bind(f"{self.home}/orders{number}")
        self.mail.bind(f"{self.home}/mail{number}")
        self.mail.setblocking(False)

    def answer(self, code, value=None):
        self.orders.sendto(marshal.dumps((self.number, code, value)), self.home + "/driver")

    def serve(self):
        while True:
            name, *args = marshal.loads(self.orders.recv(65536))
            try:
                self.answer(0, getattr(self, "do_" + name)(*args))
            except OSError as error:
                self.answer(error.errno)
            except Exception:                                   # a fault of this program
                self.answer(-1, traceback.format_exc())

    def keep(self, sock):
        sock.setblocking(False)
        self.socks[sock.fileno()] = sock
        return sock

    def new(self, sock):
        return self.keep(sock).fileno(), os.fstat(sock.fileno()).st_ino, sock.proto

    def port(self, fd):
        return self.socks[fd].getsockname()[1]

    # processes

    def do_fork(self, number):
        pid = os.fork()
        if pid == 0:
            self.orders.close()
            self.mail.close()
            self.begin(number)
            return None                                         # the child's own answer
        return pid

    def do_exec(self):
        """Become a program that has what is not close-on-exec and waits. It says so itself: before, the descriptors
        that go are not closed."""
        os.dup2(self.told[1], 1)
        os.dup2(self.told[2], 0)
        os.execv("/bin/sh", ("sh", "-c", f"echo {self.number}; read x"))

    def do_setns(self, path):
        fd = os.open(path, os.O_RDONLY)
        harness.check(harness.libc.setns(fd, harness.CLONE_NEWNET), "setns")
        os.close(fd)

    def do_pass(self, fd, number, thing):
        socket.send_fds(self.mail, [b"%d" % thing], [fd], 0, f"{self.home}/mail{number}")

    def do_take(self):
        taken = []
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.mail, 64, 1, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return taken
            for fd in fds:
                taken.append((int(data), self.keep(socket.socket(fileno=fd)).fileno()))

    # sockets

    def do_socket(self, family, kind, protocol, inherit):
        sock = socket.socket(family, kind, protocol)
        sock.set_inheritable(inherit)
        return self.new(sock)

    def do_bind(self, fd, *address):
        self.socks[fd].bind(address)
        return self.port(fd)

    def do_listen(self, fd, backlog):
        self.socks[fd].listen(backlog)
        return self.port(fd)

    def do_connect(self, fd, *address):
        sock = self.socks[fd]
        code = sock.connect_ex(address)
        if code == errno.EINPROGRESS and polled(sock, select.POLLOUT | select.POLLERR):
            code = sock.connect_ex(address) if sock.proto in HANDSHAKE else sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            code = 0 if code == errno.EISCONN else code
        return code, self.port(fd)

    def do_disconnect(self, fd):
        harness.disconnect(self.socks[fd])
        return self.port(fd)

    def do_accept(self, fd):
        return self.new(self.socks[fd].accept()[0])

    def do_peeloff(self, fd):
        ids = protocols.associations(self.socks[fd])
        if not ids:
            raise OSError(errno.EAGAIN, "no association")
        sock = protocols.peeloff(self, self.socks[fd], ids[0])
        sock.set_inheritable(False)
        return self.new(sock)

    def do_send(self, fd, data, flags, *address):
        """Returns the error and the port, which sending may have brought."""
        sock, code = self.socks[fd], 0
        flags |= socket.MSG_NOSIGNAL
        try:
            sock.sendto(data, flags, address) if address else sock.send(data, flags)
        except OSError as error:
            code = error.errno
        return code, self.port(fd)

    def do_receive(self, fd):
        sock = self.socks[fd]
        while sock.recv(65536):
            pass

    def do_option(self, fd, level, name, value):
        self.socks[fd].setsockopt(level, name, value)

    def do_shutdown(self, fd, how):
        self.socks[fd].shutdown(how)

    def do_close(self, fd):
        self.socks.pop(fd).close()
