#!/usr/bin/env python3
"""Known workloads: each does exactly what it is told, under a task name of its own, so that a tool's answer can be counted.

    known.py exec FILE N          runs FILE N times
    known.py connect PORT N       N connections over loopback to a listener of its own on PORT
    known.py refused PORT N       N connections over loopback to PORT, where nobody listens
    known.py pingpong PORT N      one connection to PORT, on which a byte goes N times there and back
    known.py unheard PORT N S     N connections to a listener on PORT whose queue is full; for S seconds they are not heard
    known.py lookup NAME N        getaddrinfo(NAME) N times
    known.py read FILE SIZE N     N reads of SIZE bytes, one after the other from the beginning, past the page cache
    known.py cached FILE SIZE N   the same through the page cache, which has nothing of FILE when it begins
    known.py sync FILE N          a byte is appended to FILE and fsync is called, N times
    known.py spin TASKS S         so many tasks that compute on one CPU for S seconds
    known.py nap MS N             sleeps N times
    known.py packets N            N datagrams over loopback, each awaited
"""
import mmap
import os
import socket
import sys
import time

NAME = "known-load"


def name_task(name):
    with open("/proc/self/comm", "w", encoding="ascii") as f:
        f.write(name)


def execute(file, n):
    for _ in range(n):
        os.waitpid(os.posix_spawn(file, [file], {}), 0)


def listener(port, backlog=128):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(backlog)
    return s


def connect(port, n):
    with listener(port) as server:
        for _ in range(n):
            with socket.create_connection(("127.0.0.1", port)):
                server.accept()[0].close()


def refused(port, n):
    for _ in range(n):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                sys.exit(f"somebody listens on {port}")


def pingpong(port, n):
    with listener(port) as server, socket.create_connection(("127.0.0.1", port)) as here:
        there = server.accept()[0]
        for end in (here, there):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(n):
            here.sendall(b"?")
            there.sendall(there.recv(1))
            here.recv(1)
        there.close()


def unheard(port, n, seconds):
    """A queue for none takes one all the same; whoever comes after that is not answered."""
    with listener(port, backlog=0):
        ends = [socket.create_connection(("127.0.0.1", port))]
        for _ in range(n):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            ends.append(s)
        time.sleep(seconds)
        for s in ends:
            s.close()


def lookup(name, n):
    for _ in range(n):
        try:
            socket.getaddrinfo(name, None)
        except socket.gaierror:
            pass  # it was asked, that is all that counts


def read(file, size, n):
    room = mmap.mmap(-1, size)  # O_DIRECT wants whole pages
    fd = os.open(file, os.O_RDONLY | os.O_DIRECT)
    for i in range(n):
        if os.preadv(fd, [room], i * size) != size:
            sys.exit(f"{file} is too short")
    os.close(fd)


def cached(file, size, n):
    fd = os.open(file, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for i in range(n):
        if len(os.pread(fd, size, i * size)) != size:
            sys.exit(f"{file} is too short")
    os.close(fd)


def sync(file, n):
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for _ in range(n):
        os.write(fd, b"x")
        os.fsync(fd)
    os.close(fd)


def spin(tasks, seconds):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    end = time.monotonic() + seconds
    for _ in range(tasks - 1):
        if os.fork() == 0:
            break
    while time.monotonic() < end:
        pass


def nap(ms, n):
    for _ in range(n):
        time.sleep(ms / 1000)


def packets(n):
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        for _ in range(n):
            s.sendto(b"x", s.getsockname())
            s.recv(1)


WORKLOADS = {"exec": execute, "connect": connect, "refused": refused, "pingpong": pingpong, "unheard": unheard, "lookup": lookup,
             "read": read, "cached": cached, "sync": sync, "spin": spin, "nap": nap, "packets": packets}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in WORKLOADS:
        sys.exit(__doc__)
    name_task(NAME)
    WORKLOADS[sys.argv[1]](*(int(w) if w.isdigit() else w for w in sys.argv[2:]))
