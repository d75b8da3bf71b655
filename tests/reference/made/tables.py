"""Tables: a format string per tool and flavour, with names that do their worst."""
import re

from . import names
from .piece import Piece, clock, left, losses, right, text

TYPES = {
    "time": ("TIME",), "decimal": ("TIME(s)", "QUE(ms)", "LAT(ms)", "LATms", "MS", "HITRATIO"),
    "text": ("PCOMM", "COMM", "C-COMM", "TASK", "ARGS", "DISK", "T", "D", "TYPE", "FILENAME", "FILE", "LADDR:LPORT", "RADDR:RPORT", "STATE", "HOST",
             "SADDR:SPORT", "DADDR:DPORT", "FLAGS", "SKADDR", "OLDSTATE", "NEWSTATE", "HARDIRQ", "SOFTIRQ"),
    "address": ("SADDR", "DADDR", "LADDR", "RADDR"), "port": ("LPORT", "DPORT", "RPORT"),
}
TYPE_OF = {name: kind for kind, some in TYPES.items() for name in some}
PIDS = (0, 1, 812, 4534, 99999, 1234567, 4194304)
ADDRESSES = {4: (b"10.9.0.1", b"127.0.0.1", b"255.255.255.255", b"0.0.0.0"),
             6: (b"::1", b"::", b"fd00:9::2", b"::ffff:10.9.0.2", b"2001:db8:1234:5678:9abc:def0:1234:5678")}
STATES = (b"ESTABLISHED", b"SYN_SENT", b"CLOSE", b"FIN_WAIT1", b"LISTEN", b"TIME_WAIT")


def columns(row):
    return [{"name": name, "type": TYPE_OF.get(name, "integer")} for name in row]


def pieces(rng, tool, flavour):
    return TOOLS[tool](rng, flavour)


def table(rng, flavour, before, header, make_row, between=None, junk=True):
    """Header and rows; the header may be late or come again, notices come between rows."""
    rows = [make_row() for _ in range(rng.choice((0, 1, 3, 20)))]
    out = list(before)
    sample = make_row()[1]
    head = Piece(header + b"\n", "columns", columns(sample))
    body = []
    for raw, row in rows:
        body.append(Piece(raw + b"\n", "row", row))
        body += between(row) if between else []
        body += losses(rng, flavour, "events")
    if junk and rng.random() < 0.05:
        body.append(Piece(b"??? what is this\n", "junk"))
    if rng.random() < 0.1 and body and not between:
        body.insert(1, head)
        return out + body
    if rng.random() < 0.1 and not between:
        body.insert(rng.randrange(len(body) + 1), head)
    return out + [head] + body


def decimal(rng, digits, top=100000):
    """Text of a number and its value."""
    said = "%.*f" % (digits, rng.choice((0, 0.001, 0.5, rng.random() * 10, rng.random() * top)))
    return said.encode(), float(said)


def shown(comm):
    """What a reader can know of a padded name."""
    return text(comm.rstrip(b" "))


def cut_to(comm, width, decoded):
    """What `%-<width>.<width>s` leaves of a name, padded: C counts bytes, Python characters of what it has decoded."""
    if not decoded:
        return comm[:width], left(comm[:width], width)
    characters = comm.decode("utf-8", "replace")[:width]
    raw = characters.encode()
    return raw, raw + b" " * (width - len(characters))


def execsnoop(rng, flavour):
    bcc = flavour == "bcc"
    with_time, with_seconds, with_uid = (rng.random() < 0.4 for _ in range(3))
    first = "COMM" if bcc and rng.random() < 0.3 else "PCOMM"
    wide = 7 if bcc else 6
    header = (left("TIME", 9) if with_time else b"") + (left("TIME(s)", 8 if bcc else 9) if with_seconds else b"") + (left("UID", 6) if bcc else left("UID", 7)) * with_uid
    header += b" ".join((left(first, 16), left("PID", wide), left("PPID", wide), right("RET", 3), b"ARGS"))

    def row():
        at, since = clock(rng), decimal(rng, 3, 2000)
        uid, pid, ppid, ret = rng.choice((0, 1000, 65534, 100000, 1000100033)), rng.choice(PIDS), rng.choice(PIDS), rng.choice((0, 0, -2, -13, -26))
        comm = names.comm(rng, avoid=lambda name: name.startswith((b"lost 5", b"Tracing", b"ERROR")))
        args = arguments(rng, bcc)
        raw = (left(at, 9) if with_time else b"") + (left(since[0], 8) if with_seconds else b"") + (left(uid, 6) if with_uid else b"")
        raw += b" ".join((left(comm, 16), left(pid, wide), left(ppid, wide), right(ret, 3), args))
        said = {"TIME": at} if with_time else {}
        said.update({"TIME(s)": since[1]} if with_seconds else {})
        said.update({"UID": uid} if with_uid else {})
        said.update({first: shown(comm), "PID": pid, "PPID": ppid, "RET": ret, "ARGS": text(args if bcc or not args.endswith(b" ") else args[:-1])})
        return raw, said

    return table(rng, flavour, [], header, row, junk=False)


def arguments(rng, bcc):
    words = [rng.choice(names.WORDS) for _ in range(rng.randrange(6))]
    if bcc:
        return b" ".join(words).replace(b"\n", b"\\n")
    # A blank before a newline would look like the end of the row.
    return b"".join(word + b" " for word in words) + rng.choice((b"", b"", b" ...") if words else (b"",))


def biosnoop(rng, flavour):
    bcc = flavour == "bcc"
    queued = rng.random() < 0.4
    digits = 2 if bcc else 3
    header = b"TIME(s)     COMM           PID     DISK      T SECTOR     BYTES  " if bcc else b"TIME(s)     COMM           PID     DISK    T    SECTOR     BYTES  "
    header += (b" QUE(ms)" if queued else b"") + b" LAT(ms)"

    def row():
        since, que, lat = decimal(rng, 6), decimal(rng, digits), decimal(rng, digits)
        comm, padded = cut_to(names.comm(rng), 14, bcc)
        pid, disk, sector, size = rng.choice(PIDS), rng.choice((b"vda", b"nvme0n1", b"sr0")), rng.choice((-1, 0, 2192888, 2 ** 40)), rng.choice((0, 4096, 2 ** 30))
        kind = rng.choice((b"R", b"W") if bcc else (b"R", b"WS", b"FF", b"WSM", b"N"))
        if not bcc and rng.random() < 0.2:
            que = (b"-1.000", -1.0)
        raw = b" ".join((left(since[0], 11), padded, left(pid, 7), left(disk, 9 if bcc else 7), left(kind, 1 if bcc else 4), left(sector, 10), left(size, 7)))
        raw += (b" " + right(que[0], 7) if queued else b"") + b" " + right(lat[0], 7)
        said = {"TIME(s)": since[1], "COMM": shown(comm), "PID": pid, "DISK": text(disk), "T": text(kind), "SECTOR": sector, "BYTES": size}
        said.update({"QUE(ms)": que[1]} if queued else {})
        said["LAT(ms)"] = lat[1]
        return raw, said

    return table(rng, flavour, [], header, row)


def size_of(rng, flavour):
    return rng.choice(((b"0", 0), (b"4096", 4096), (b"4294966767", 4294966767)) + (((b"LL_MAX", None),) if flavour == "libbpf" else ()))


def ext4slower(rng, flavour):
    bcc = flavour == "bcc"
    if rng.random() < 0.3:
        return ext4slower_csv(rng, flavour)
    width = 14 if bcc else 16
    header = b"TIME     " + left("COMM", width) + (b" PID    " if bcc else b" PID     ") + b"T BYTES   OFF_KB   LAT(ms) FILENAME"
    banner = b"Tracing ext4 operations slower than 10 ms" + (b"\n" if bcc else b" for 5 secs.\n")

    def row():
        at, lat, size = clock(rng), decimal(rng, 2), size_of(rng, flavour)
        comm, padded = cut_to(names.comm(rng), width, bcc)
        pid, kind, offset, file = rng.choice(PIDS), rng.choice(b"RWOS" if bcc else b"RWOF"), rng.choice((0, 56, 2 ** 33)), rng.choice(names.FILES)
        raw = b" ".join((at.encode(), padded, left(pid, 6 if bcc else 7), bytes((kind,)), left(size[0], 7), left(offset, 8), right(lat[0], 7), file))
        return raw, {"TIME": at, "COMM": shown(comm), "PID": pid, "T": chr(kind), "BYTES": size[1], "OFF_KB": offset, "LAT(ms)": lat[1], "FILENAME": text(file)}

    return table(rng, flavour, [Piece(banner, "banner")], header, row, junk=False)


def ext4slower_csv(rng, flavour):
    first = "ENDTIME_us" if flavour == "bcc" else "ENDTIME_ns"
    header = first.encode() + b",TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE"

    def row():
        at, size, pid, kind = rng.randrange(10 ** 15), size_of(rng, flavour), rng.choice(PIDS), rng.choice("RWO")
        comm = names.comm(rng, avoid=lambda name: re.search(rb",\d+,[A-Z],|\n\d+,", name))
        offset, lat, file = rng.choice((0, 2 ** 40)), rng.randrange(10 ** 6), rng.choice(names.FILES)
        raw = b",".join((b"%d" % at, comm, b"%d" % pid, kind.encode(), size[0], b"%d" % offset, b"%d" % lat, file))
        return raw, {first: at, "TASK": text(comm), "PID": pid, "TYPE": kind, "BYTES": size[1], "OFFSET_b": offset, "LATENCY_us": lat, "FILE": text(file)}

    return table(rng, flavour, [], header, row, junk=False)


def fileslower(rng, flavour):
    before = [Piece(b"Current kernel does not have __vfs_read, try vfs_read instead\n"), Piece(b"Tracing sync read/writes slower than 0 ms\n", "banner")]

    def row():
        since, lat = decimal(rng, 3), decimal(rng, 2)
        comm, padded = cut_to(names.comm(rng), 14, True)
        tid, kind, size, file = rng.choice(PIDS), rng.choice("RW"), rng.choice((0, 832, 2 ** 31)), rng.choice(names.FILES)
        raw = b" ".join((left(since[0], 8), padded, left(tid, 6), kind.encode(), left(size, 7), right(lat[0], 7), file))
        return raw, {"TIME(s)": since[1], "COMM": shown(comm), "TID": tid, "D": kind, "BYTES": size, "LAT(ms)": lat[1], "FILENAME": text(file)}

    return table(rng, flavour, before, b"TIME(s)  COMM           TID    D BYTES   LAT(ms) FILENAME", row, junk=False)


def tcpconnlat(rng, flavour):
    bcc = flavour == "bcc"
    with_time, with_port = rng.random() < 0.5, rng.random() < 0.5
    width = 7 if bcc else 6
    header = (left("TIME(s)", 9 if bcc else 10) if with_time else b"") + left("PID", width + 1) + b"COMM         IP SADDR            "
    header += (b"LPORT  " if with_port else b"") + b"DADDR            DPORT LAT(ms)"

    def row():
        since, lat, pid = decimal(rng, 3, 9999), decimal(rng, 2), rng.choice(PIDS)
        comm, padded = cut_to(names.comm(rng), 12, False)
        version, source, target = connection(rng)
        raw = (left(since[0], 9) + (b"" if bcc else b" ") if with_time else b"") + b" ".join((left(pid, width), padded, left(version, 2), left(source[0], 16)))
        raw += (b" " + left(source[1], 6) if with_port else b"") + b" " + b" ".join((left(target[0], 16), left(target[1], 5), lat[0]))
        said = {"TIME(s)": since[1]} if with_time else {}
        said.update({"PID": pid, "COMM": shown(comm), "IP": version, "SADDR": text(source[0])})
        said.update({"LPORT": source[1]} if with_port else {})
        said.update({"DADDR": text(target[0]), "DPORT": target[1], "LAT(ms)": lat[1]})
        return raw, said

    return table(rng, flavour, [], header, row)


def connection(rng):
    version = rng.choice((4, 6))
    return version, *((rng.choice(ADDRESSES[version]), rng.choice((0, 80, 5201, 65535))) for _ in range(2))


def tcpretrans(rng, flavour):
    before = [Piece(b"Tracing retransmits ... Hit Ctrl-C to end\n", "banner")]
    if rng.random() < 0.3:
        return tcpretrans_counts(rng, flavour, before)

    def row():
        at, pid = clock(rng), rng.choice(PIDS)
        version, source, target = connection(rng)
        kind, state = rng.choice(("R>", "L>")), rng.choice(STATES)
        ends = [b"%s:%d" % end for end in (source, target)]
        raw = b" ".join((at.encode(), left(pid, 7), left(version, 2), left(ends[0], 20), kind.encode(), left(ends[1], 20), state))
        return raw, {"TIME": at, "PID": pid, "IP": version, "LADDR:LPORT": text(ends[0]), "T": kind[0], "RADDR:RPORT": text(ends[1]), "STATE": text(state)}

    return table(rng, flavour, before, b"TIME     PID     IP LADDR:LPORT          T> RADDR:RPORT          STATE", row)


def tcpretrans_counts(rng, flavour, before):
    def row():
        _, source, target = connection(rng)
        ends = [b"[%s]#%d" % end for end in (source, target)]
        number = rng.choice((1, 115, 10 ** 12))
        return left(ends[0], 20) + b" <-> " + left(ends[1], 20) + b" " + right(number, 10), {"LADDR:LPORT": text(ends[0]), "RADDR:RPORT": text(ends[1]), "RETRANSMITS": number}

    return table(rng, flavour, before + [Piece(b"\n")], b"LADDR:LPORT               RADDR:RPORT               RETRANSMITS", row)


def gethostlatency(rng, flavour):
    bcc = flavour == "bcc"
    header = b"TIME      PID     COMM                  LATms HOST" if bcc else b"TIME     PID     COMM             LATms      HOST"

    def row():
        at, lat, pid = clock(rng), decimal(rng, 2 if bcc else 3), rng.choice(PIDS)
        comm, padded = cut_to(names.comm(rng), 16, bcc)
        host = rng.choice((b"localhost", b"x y.test", b"::1", b"-dash", b"12", b"0.5 b", b"\xff.test", b"x" * 79, b" lead", b"127.0.0.1"))
        host = host.decode("utf-8", "replace").encode() if bcc else host
        raw = b" ".join((left(at, 9 if bcc else 8), left(pid, 7), padded, right(lat[0], 10) if bcc else left(lat[0], 10), host))
        return raw, {"TIME": at, "PID": pid, "COMM": shown(comm), "LATms": lat[1], "HOST": text(host)}

    return table(rng, flavour, [], header, row, junk=False)


def tcpdrop(rng, flavour):
    before = [Piece(b"WARNING: tcp_drop() kernel function not found or traceable. Use tracpoint:skb:kfree_skb instead.\n")] if rng.random() < 0.5 else []

    def row():
        at, pid = clock(rng), rng.choice(PIDS)
        version, source, target = connection(rng)
        ends = [b"%s:%d" % end for end in (source, target)]
        state, flags = rng.choice(STATES), rng.choice((b"ACK", b"PSH|ACK", b"SYN", b""))
        raw = b" ".join((at.encode(), left(pid, 7), left(version, 2), left(ends[0], 20), b">", left(ends[1], 20), state, b"(" + flags + b")"))
        return raw, {"TIME": at, "PID": pid, "IP": version, "SADDR:SPORT": text(ends[0]), "DADDR:DPORT": text(ends[1]), "STATE": text(state), "FLAGS": text(flags)}

    def stack(_row):
        some = [rng.choice(("kfree_skb_reason+0x7b", "tcp_v4_rcv+0xdb6", "ret_from_fork+0x22")) for _ in range(rng.randrange(4))]
        return [Piece(b"\tb'%s'\n" % frame.encode(), "frame", frame) for frame in some] + ([Piece(b"\n")] if some else [])

    return table(rng, flavour, before, b"TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)", row, between=stack)


def tcpstates(rng, flavour):
    bcc = flavour == "bcc"
    csv = bcc and rng.random() < 0.4
    wide = csv or rng.random() < 0.5
    timed = rng.choice((None, "TIME") + (("TIME(s)",) if bcc else ()))
    pid_name, comm_name = ("C-PID", "C-COMM") if bcc else ("PID", "COMM")
    width, addresses = (16, rng.choice((26, 39))) if wide else (10, 15)
    header_time = "TIME(s)" if timed and not bcc else timed       # libbpf's header is wrong

    def row():
        at = clock(rng) if timed == "TIME" else decimal(rng, 6)
        key, pid, ms = b"%x" % (0xff33f3de456f3f00 + rng.randrange(256)), rng.choice(PIDS), decimal(rng, 3)
        comm = names.comm(rng, avoid=lambda name: csv and b"," in name)
        comm, padded = cut_to(comm, width, False)
        version, source, target = connection(rng)
        before, after = rng.choice(STATES), rng.choice(STATES)
        start = [] if not timed else [at.encode() if timed == "TIME" else at[0]]
        if csv:
            raw = b",".join(start + [key, b"%d" % pid, comm, b"%d" % version, source[0], b"%d" % source[1], target[0], b"%d" % target[1], before, after, ms[0]])
        else:
            raw = b" ".join([left(x, 8) for x in start] + [left(key, 16), left(pid, 5 if bcc else 7), padded] + ([left(version, 2)] if wide else []) +
                            [left(source[0], addresses), left(source[1], 5), left(target[0], addresses), left(target[1], 5), left(before, 11), b"->", left(after, 11), ms[0]])
        said = {header_time: at if timed == "TIME" else at[1]} if timed else {}
        said.update({"SKADDR": text(key), pid_name: pid, comm_name: text(comm) if csv else shown(comm)})
        said.update({"IP": version} if wide else {})
        said.update({"LADDR": text(source[0]), "LPORT": source[1], "RADDR": text(target[0]), "RPORT": target[1], "OLDSTATE": text(before), "NEWSTATE": text(after), "MS": ms[1]})
        return raw, said

    if csv:
        header = b",".join(name.encode() for name in row()[1])
    else:
        header = left(header_time, 9) if timed else b""
        header += b" ".join([left("SKADDR", 16), left(pid_name, 5 if bcc else 7), left(comm_name, width)] + ([b"IP"] if wide else []) +
                            [left("LADDR", addresses), b"LPORT", left("RADDR", addresses), b"RPORT", left("OLDSTATE", 11), b"->", left("NEWSTATE", 11), b"MS"])
    made = table(rng, flavour, [], header, row)
    if timed == "TIME" and not bcc:
        for piece in made:
            if piece.kind == "columns":
                piece.what[0]["type"] = "time"
    return made


def cachestat(rng, flavour):
    timed = rng.random() < 0.5
    header = (b"TIME     " if timed else b"") + b"    HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB"

    def row():
        numbers = [rng.choice((0, 42753, 10 ** 10)) for _ in range(5)]
        at, ratio = clock(rng), decimal(rng, 2, 100)
        raw = (left(at, 8) + b" " if timed else b"") + b" ".join(right(number, 8) for number in numbers[:3])
        raw += b" " + right(ratio[0], 7) + b"% " + right(numbers[3], 12) + b" " + right(numbers[4], 10)
        said = {"TIME": at} if timed else {}
        said.update({"HITS": numbers[0], "MISSES": numbers[1], "DIRTIES": numbers[2], "HITRATIO": ratio[1], "BUFFERS_MB": numbers[3], "CACHED_MB": numbers[4]})
        return raw, said

    return table(rng, flavour, [], header, row) + ([Piece(b"Detaching...\n")] if flavour == "bcc" and rng.random() < 0.3 else [])


def totals(tool):
    def make(rng, flavour):
        marked, unit = rng.random() < 0.5, rng.choice(("TOTAL_usecs", "TOTAL_nsecs"))
        counted = tool == "softirqs" and flavour == "libbpf" and rng.random() < 0.3
        first, width = ("HARDIRQ", 26) if tool == "hardirqs" else ("SOFTIRQ", 16)
        irqs = (b"virtio1-req.0", b"ata_piix", b"eth0-TxRx-0", b"a_very_long_interrupt_name.12345") if tool == "hardirqs" else (b"timer", b"net_rx", b"rcu", b"irq_poll", b"hi")
        what = b"hard" if tool == "hardirqs" else b"soft"
        out = [Piece(b"Tracing %s irq event time... Hit Ctrl-C to end.\n" % what, "banner")]
        header = left(first, width) + b" " + right(unit, 11) + (b"  TOTAL_count" if counted else b"")
        kinds = [{"name": first, "type": "text"}, {"name": unit, "type": "integer"}] + ([{"name": "TOTAL_count", "type": "integer"}] if counted else [])
        for _ in range(rng.choice((1, 2, 5))):
            out.append(Piece(b"\n"))
            if marked:
                mark = clock(rng)
                out.append(Piece(left(mark, 8) + b"\n", "interval", mark))
            out.append(Piece(header + b"\n", "columns", kinds))
            for name in rng.sample(irqs, rng.randrange(len(irqs) + 1)):
                numbers = [rng.choice((0, 2309, 10 ** 14)) for _ in range(2)]
                raw = left(name, width) + b" " + right(numbers[0], 11) + (b" " + right(numbers[1], 12) if counted else b"")
                row = {first: text(name), unit: numbers[0], **({"TOTAL_count": numbers[1]} if counted else {})}
                out.append(Piece(raw + b"\n", "row", row))
        return out
    return make


TOOLS = {"execsnoop": execsnoop, "biosnoop": biosnoop, "ext4slower": ext4slower, "fileslower": fileslower, "tcpconnlat": tcpconnlat, "tcpretrans": tcpretrans,
         "gethostlatency": gethostlatency, "tcpdrop": tcpdrop, "tcpstates": tcpstates, "cachestat": cachestat, "hardirqs": totals("hardirqs"),
         "softirqs": totals("softirqs")}
