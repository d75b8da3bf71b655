#!/usr/bin/python3
"""Peers that do not behave, against a collector's port for agents.

    rude.py stuck  --certs DIR --collector HOST:PORT --never N --slow M [--seconds S]
        Agents rude1 … rudeN that greet, open a session, ask all the time (Ping) and never read an answer; and M more that read slowly.
        Those that are thrown out come back.  Until SIGTERM or S seconds.
    rude.py abuse  --certs DIR --collector HOST:PORT --each N [--source ADDRESS]
        N connections of each kind, all kinds at once: silent, half a ClientHello, ClientHello then RST, garbage instead of TLS, garbage after the greeting,
        oversized frames, frames that come in drips.  Prints a line per kind.

DIR is trawl-certs' and has agents/rude1.pem … and their keys.  The frames are docs/protocol.md's.
"""
import argparse
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time

HELLO, WELCOME, REFUSE, PING, CALL, MESSAGE = 1, 2, 3, 5, 7, 8
BULK = 2
stop = threading.Event()


# ---- the wire, by hand ----
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


class Peer:
    """One connection of an agent's, as far as it wants to go."""

    def __init__(self, options, host, receive_bytes=None):
        address, port = options.collector.rsplit(":", 1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(options.certs + "/fleet-ca.pem")
        context.load_cert_chain(f"{options.certs}/agents/{host}.pem", f"{options.certs}/agents/{host}.key")
        raw = socket.socket()
        if receive_bytes:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        raw.settimeout(20)
        raw.bind((options.source, 0))
        raw.connect((address, int(port)))
        self.host = host
        self.tls = context.wrap_socket(raw, server_hostname=address)
        self.sequence = 0

    def frame(self, kind, stream=0, payload=b"", flags=0):
        head = struct.pack(">IBBHII", len(payload), kind, flags, 0, stream, self.sequence)
        self.sequence += 1
        return head + payload

    def greet(self):
        self.tls.sendall(self.frame(HELLO, 0, field(1, 1) + field(2, 1) + field(3, "rude")))
        head = self.tls.recv(16)
        if len(head) < 16 or head[4] != WELCOME:
            raise ConnectionError("not welcome")

    def open_session(self):
        tool = field(1, "runqlat") + field(2, "libbpf") + field(3, 1)
        facts = field(1, self.host) + field(2, "0") + field(3, "rude") + field(4, "none") + field(6, tool)
        self.tls.sendall(self.frame(CALL, 1, field(1, "trawl.Agents/Session")) + self.frame(MESSAGE, 1, field(1, facts), BULK))

    def ask(self, times):
        self.tls.sendall(b"".join(self.frame(PING) for _ in range(times)))


# ---- peers that do not read ----
def be_stuck(options, host, reads):
    """Ask 20,000 times a second; read not at all, or 4 KiB a second."""
    while not stop.is_set():
        try:
            peer = Peer(options, host, receive_bytes=4096)
            peer.greet()
            peer.open_session()
            peer.tls.settimeout(1)
            while not stop.wait(0.05):
                peer.ask(1000)
                if reads:
                    peer.tls.recv(200)
        except OSError as e:
            print(f"{host} was thrown out: {e}", flush=True)
            stop.wait(1)


def stuck(options):
    hosts = [(f"rude{i + 1}", i >= options.never) for i in range(options.never + options.slow)]
    threads = [threading.Thread(target=be_stuck, args=(options, host, reads)) for host, reads in hosts]
    for thread in threads:
        thread.start()
    stop.wait(options.seconds)
    stop.set()
    for thread in threads:
        thread.join()


# ---- abuse ----
def client_hello():
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def plain(options, first=b""):
    address, port = options.collector.rsplit(":", 1)
    s = socket.create_connection((address, int(port)), timeout=20, source_address=(options.source, 0))
    if first:
        s.sendall(first)
    return s


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def ends(s):
    """Waits until the other side closes it; it must, within 20 s."""
    try:
        while s.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    s.close()
    return True


def greeted(options, bytes_of):
    """Greets as an agent and sends what bytes_of(peer) makes."""
    peer = Peer(options, "rude1")
    try:
        peer.greet()
        peer.tls.sendall(bytes_of(peer))
        peer.tls.recv(4096)
    finally:
        peer.tls.close()


def drip(options):
    """Half of a frame's header, a byte at a time, and then nothing: until the collector has had enough of it, or two seconds."""
    peer = Peer(options, "rude2")
    try:
        for byte in peer.frame(HELLO, 0, field(1, 1))[:10]:
            peer.tls.sendall(bytes([byte]))
            time.sleep(0.2)
    finally:
        peer.tls.close()


def in_threads(n, fn, width=16):
    left, lock = [n], threading.Lock()

    def work():
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            try:
                fn()
            except OSError:
                pass  # refused or reset: as it should be

    threads = [threading.Thread(target=work) for _ in range(min(width, n))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def held(options, first):
    """All open at once, until the collector has closed each.  How many it has not, within 20 s."""
    sockets = []
    for _ in range(options.each):
        try:
            sockets.append(plain(options, first))
        except OSError:
            pass
    return sum(1 for s in sockets if not ends(s))


def abuse(options):
    hello = client_hello()
    few = max(options.each // 10, 1)  # what needs a handshake costs this side most
    kinds = (
        ("silent", lambda: held(options, b"")),
        ("half a ClientHello", lambda: held(options, hello[: len(hello) // 2])),
        ("ClientHello then RST", lambda: in_threads(options.each, lambda: reset(plain(options, hello)))),
        ("garbage", lambda: in_threads(options.each, lambda: ends(plain(options, os.urandom(600))))),
        ("garbage after the greeting", lambda: in_threads(few, lambda: greeted(options, lambda p: os.urandom(600)))),
        ("oversized frames", lambda: in_threads(few, lambda: greeted(options, lambda p: struct.pack(">IBBHII", 1 << 31, 8, 0, 0, 1, 1)))),
        ("drips", lambda: in_threads(few, lambda: drip(options), width=few)),
    )
    failed = []

    def run(name, do):
        began = time.monotonic()
        left = do()
        if left:
            failed.append(f"{name}: {left} connections are open after 20 s")
        print(f"abuse: {name}: {time.monotonic() - began:.1f} s", flush=True)

    threads = [threading.Thread(target=run, args=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit("\n".join(failed) or 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("stuck", "abuse"))
    parser.add_argument("--certs", required=True)
    parser.add_argument("--collector", required=True)
    parser.add_argument("--never", type=int, default=10)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--source", default="127.0.0.66")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    (stuck if options.what == "stuck" else abuse)(options)


if __name__ == "__main__":
    main()
