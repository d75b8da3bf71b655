"""Histograms: runqlat, runqlen, cpudist, biolatency, bitesize, tcprtt, hardirqs -d, softirqs -d."""
from reader.histogram import OPEN_FROM

from . import names
from .piece import Piece, clock, text

BANNER = {
    "runqlat": b"Tracing run queue latency... Hit Ctrl-C to end.\n", "runqlen": b"Sampling run queue length... Hit Ctrl-C to end.\n",
    "cpudist": b"Tracing on-CPU time... Hit Ctrl-C to end.\n", "biolatency": b"Tracing block device I/O... Hit Ctrl-C to end.\n",
    "bitesize": b"Tracing block device I/O... Hit Ctrl-C to end.\n", "tcprtt": b"Tracing TCP RTT for 5 secs.\n",
    "hardirqs": b"Tracing hard irq event time... Hit Ctrl-C to end.\n", "softirqs": b"Tracing soft irq event time... Hit Ctrl-C to end.\n",
}
SLOTS = {"runqlat": 26, "cpudist": 36, "biolatency": 27, "bitesize": 20, "tcprtt": 27, "hardirqs": 20, "softirqs": 20}


def pieces(rng, tool, flavour):
    out = [Piece(BANNER[tool], "banner")]
    unit = "Kbytes" if tool == "bitesize" else rng.choice(("usecs", "usecs", "nsecs" if "irqs" in tool else "msecs"))
    sectioned = tool in ("bitesize", "hardirqs", "softirqs") or rng.random() < 0.6
    marked = rng.random() < 0.5
    both = rng.random() < 0.3           # biolatency -D -F
    for _ in range(rng.choice((1, 1, 2, 4))):
        out.append(Piece(b"\n"))
        if marked:
            mark = clock(rng)
            out.append(Piece(mark.encode() + b"\n", "interval", mark))
        if rng.random() < 0.1:
            continue                    # nothing happened
        if not sectioned:
            out += one(rng, tool, flavour, unit)
            continue
        for line, section in sections(rng, tool, flavour, both):
            if rng.random() < 0.7:
                out.append(Piece(b"\n"))
            out.append(Piece(line + b"\n", "section", section))
            out += one(rng, tool, flavour, unit)
    if rng.random() < 0.05:
        out += [Piece(b"\n"), Piece(b"??? what is this\n", "junk")]
    return out


def sections(rng, tool, flavour, both):
    """Section lines, no two alike."""
    seen = []
    for _ in range(rng.randrange(1, 6)):
        line, section = section_line(rng, tool, flavour, both)
        if section not in seen:
            seen.append(section)
            yield line, section


def section_line(rng, tool, flavour, both):
    number = rng.choice((0, 7, 812, 4194304))
    if tool in ("runqlat", "cpudist"):
        label = b"pidns" if tool == "runqlat" and both else b"pid"
        if flavour == "bcc" and (tool == "runqlat" or rng.random() < 0.2):
            return b"%s = %d" % (label, number), {label.decode(): str(number)}
        comm = names.comm(rng)
        if (tool, flavour) == ("cpudist", "bcc"):
            # It is read from /proc/PID/comm, newline included, and decoded strictly.
            comm = comm.decode("utf-8", "ignore").encode()
            return b"pid = %d %s\n" % (number, comm), {"pid": str(number), "comm": text(comm)}
        return b"%s = %d %s" % (label, number, comm), {label.decode(): str(number), "comm": text(comm)}
    if tool == "biolatency":
        disk = rng.choice((b"vda", b"nvme0n1", b"dm-0", b"<unknown>" if flavour == "bcc" else b"sr0"))
        flags = rng.choice((b"Read", b"Sync-Write", b"Idle-Metadata-Sync-Write", b"PreFlush-Flush"))
        if both and flavour == "libbpf":
            return b"disk = %s\tflags = %s" % (disk, flags), {"disk": text(disk), "flags": text(flags)}
        if both:
            return b"flags = " + flags, {"flags": text(flags)}
        return b"disk = " + disk + (b"\t" if flavour == "libbpf" else b""), {"disk": text(disk)}
    if tool == "bitesize":
        comm = names.comm(rng)
        return b"Process Name = " + comm, {"Process Name": text(comm)}
    if tool == "runqlen":
        return b"cpu = %d" % number, {"cpu": str(number)}
    if tool in ("hardirqs", "softirqs"):
        irq = rng.choice((b"virtio1-req.0", b"ata_piix", b"eth0-TxRx-0", b"nvme0q1")) if tool == "hardirqs" else rng.choice((b"timer", b"net_rx", b"rcu", b"sched", b"hi"))
        label = tool[:-1]
        return label.encode() + b" = " + irq, {label: text(irq)}
    average = b"[AVG %d]" % number if rng.random() < 0.3 else b""
    if flavour == "libbpf":
        label, address = rng.choice(((b"All Addresses", b"******"), (b"Local Address", b"10.9.0.1"), (b"Remote Address", b"fd00:9::2")))
        return label + b" = " + address + b" " + average, {text(label): text(address)}
    label, address = rng.choice(((b"All Addresses", b"*******"), (b"Local Address", b"10.9.0.1"), (b"Remote Addres", b"10.9.0.77")))
    return label + b" = " + address + (b" " + average if average else b""), {text(label): text(address)}


def one(rng, tool, flavour, unit):
    """A histogram: header and rows."""
    if tool == "runqlen":
        return linear(rng, flavour)
    bcc = flavour == "bcc"
    most = 40 if bcc else SLOTS[tool]
    last = rng.randrange(most) if rng.random() < 0.8 else most - 1
    counts = [count(rng, flavour) for _ in range(last)] + [rng.choice((1, 5, 2 ** 31, 2 ** 32 - 1))]
    wide = last + 1 > 32 if bcc else last > 32
    gap = 5 if bcc else 4
    header = b"%*s%-*s : count%*sdistribution\n" % (15 if wide else 5, b"", 29 if wide else 19, unit.encode(), gap, b"")
    rows = []
    for slot, number in enumerate(counts):
        low, high = (1 << slot) if slot else 0, (2 << slot) - 1
        printed = number - (1 << 32) if number >= 1 << 31 and not bcc else number
        width, stars = (20, 20) if wide else (10, 40)
        bar = b"*" * (number * stars // max(counts))
        raw = b"%*d -> %-*d : %-8d |%-*s|\n" % (width, low, width, high, printed, stars, bar)
        is_open = not bcc and OPEN_FROM.get(tool) == low
        rows.append(Piece(raw, "bucket", (low, None if is_open else high, number)))
    return [Piece(header, "header", (unit, "log2"))] + rows


def linear(rng, flavour):
    bcc = flavour == "bcc"
    counts = {value: count(rng, "bcc") for value in range(rng.randrange(1, 32))}
    counts[max(counts)] = rng.randrange(1, 10 ** 6)
    rows = []
    for value, number in counts.items():
        if number or bcc:
            bar = b"*" * (number * 40 // max(counts.values()))
            rows.append(Piece(b"        %-10d : %-8d |%-40s|\n" % (value, number, bar), "bucket", (value, value, number)))
    return [Piece(b"     %-13s : count     distribution\n" % b"runqlen", "header", ("runqlen", "linear"))] + rows


def count(rng, flavour):
    kind = rng.random()
    if kind < 0.3:
        return 0
    if kind < 0.9:
        return rng.randrange(100000)
    return rng.choice((2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1)) if flavour == "libbpf" else rng.choice((2 ** 31, 10 ** 12))
