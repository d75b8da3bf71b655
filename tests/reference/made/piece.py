"""A print-out is a list of pieces: bytes, and what they mean."""
from dataclasses import dataclass


@dataclass
class Piece:
    raw: bytes
    kind: str = "nothing"       # what the truth takes from it: banner interval section header bucket columns row frame stack lost junk failed
    what: object = None
    cut_anywhere: bool = False  # a piece of several lines that a cut may end after any of them


def text(raw):
    return raw.decode("utf-8", "replace")


def left(value, width):
    """`%-<width>s` of bytes."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    return raw + b" " * (width - len(raw))


def right(value, width):
    raw = value if isinstance(value, bytes) else str(value).encode()
    return b" " * (width - len(raw)) + raw


def clock(rng):
    return "%02d:%02d:%02d" % (rng.randrange(24), rng.randrange(60), rng.randrange(60))


def losses(rng, flavour, what):
    """A notice about a loss, between two pieces, now and then."""
    if rng.random() > 0.06:
        return []
    number = rng.choice((1, 7, 85, 10 ** 6))
    if what == "stacks":
        return [Piece(b"WARNING: %d stack traces could not be displayed.\n" % number, "lost", ("tool", number))]
    if flavour == "bcc":
        return [Piece(b"Possibly lost %d samples\n" % number, "lost", ("kernel", number))]
    return [Piece(b"lost %d events on CPU #%d\n" % (number, rng.randrange(8)), "lost", ("kernel", number))]
