"""Stacks: profile and offcputime, folded and in blocks."""
import re

from . import names
from .piece import Piece, losses, text

LOOKS_WHOLE = re.compile(rb"(?:\A|\n)(?:\n|\Z|[^\n]* \d+\n|\s*\n)")


def pieces(rng, tool, flavour):
    folded = rng.random() < 0.6 and (tool, flavour) != ("offcputime", "libbpf")
    out = []
    if not folded and (flavour == "bcc" or tool == "profile"):
        banner = b"Sampling at 49 Hertz of all threads by user + kernel stack for 5 secs.\n" if tool == "profile" else \
            b"Tracing off-CPU time (us) of all threads by user + kernel stack for 5 secs.\n"
        out += [Piece(banner, "banner"), Piece(b"\n")]
    some = [frames(rng, flavour) for _ in range(4)]
    marked = rng.random() < 0.3
    for _ in range(rng.randrange(1, 30)):
        chosen = rng.choice(some) if rng.random() < 0.5 else frames(rng, flavour)
        number = rng.choice((1, 2, 33, 10 ** 6, 2 ** 40)) if tool == "offcputime" else rng.randrange(1, 1000)
        out += [fold(rng, chosen, number, marked)] if folded else [block(rng, chosen, number), Piece(b"\n")]
        out += losses(rng, flavour, "stacks")
    return out


def frames(rng, flavour):
    some = [rng.choice(names.FRAMES) for _ in range(rng.choice((0, 1, 2, 5, 30)))]
    # libbpf says on its standard error that a stack is missing.
    return [frame for frame in some if flavour == "bcc" or not frame.startswith("[Missed")]


def ambiguous(comm):
    """A name with newlines whose first line could be a stack of its own, or is blank; or with a mark of the kernel in it."""
    return b";-" in comm or b"\n" in comm and bool(LOOKS_WHOLE.search(comm)) or comm.startswith((b"lost 5", b"Tracing", b"ERROR"))


def fold(rng, chosen, number, marked):
    """`marked`: -a and -d, with a `-` between the user's and the kernel's frames, and a mark on these."""
    comm = names.comm(rng, avoid=ambiguous)
    printed = [frame.encode() for frame in chosen]
    if marked and printed:
        kernel = rng.randrange(len(printed))
        printed = printed[:kernel] + [b"-"] + [frame + b"_[k]" for frame in printed[kernel:]]
    raw = b";".join([comm] + printed) + b" %d\n" % number
    first, *rest = (raw[:raw.rindex(b" ")]).split(b";")         # where a name has semicolons, nobody can tell
    return Piece(raw, "stack", (text(first), None, tuple(text(frame.removesuffix(b"_[k]")) for frame in rest if frame != b"-"), number))


def block(rng, chosen, number):
    comm = names.comm(rng, avoid=lambda name: re.search(rb"\(\d+\)\n", name))
    pid = rng.choice((0, 1, 4321))
    raw = b"".join(b"    " + frame.encode() + b"\n" for frame in reversed(chosen))
    raw += b"    %-16s %s (%d)\n        %d\n" % (b"-", comm, pid, number)
    return Piece(raw, "stack", (text(comm), pid, tuple(chosen), number), cut_anywhere=True)
