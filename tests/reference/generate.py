#!/usr/bin/env python3
"""Makes up print-outs as the tools print them, together with the truth that they hold.  The same seed gives the same bytes.

  generate.py TOOL FLAVOUR SEED NUMBER [--truth]
"""
import json
import random
import sys

from made import histograms, stacks, tables
from made.piece import Piece
from reader import tools
from reader.histogram import add_percentiles
from reader.lines import NO_LEDGER

BCC_ONLY = ("fileslower", "tcpretrans", "tcpdrop")
FLAVOURS = {tool: ("bcc",) if tool in BCC_ONLY else ("libbpf", "bcc") for tool in tools.TOOLS}


def make(tool, flavour, seed, number):
    """The print-out's bytes and its truth, as `trawl parse -o json` would say it."""
    rng = random.Random("%s %s %d %d" % (tool, flavour, seed, number))
    if tool in tools.STACKS:
        pieces = stacks.pieces(rng, tool, flavour)
    elif tool in tools.HISTOGRAMS or tool in tools.BOTH and rng.random() < 0.5:
        pieces = histograms.pieces(rng, tool, flavour)
    else:
        pieces = tables.pieces(rng, tool, flavour)
    if rng.random() < 0.1:
        pieces.append(Piece(b"Traceback (most recent call last):\n  File \"/usr/sbin/x\", line 1, in <module>\nKeyError: 'x'\n", "failed"))
    cut_line, cut_inside = b"", False
    if rng.random() < 0.3:
        pieces, cut_line, cut_inside = cut(rng, pieces)
    data = b"".join(piece.raw for piece in pieces) + cut_line
    return data, truth(tool, flavour, pieces, bool(cut_line), cut_inside)


def cut(rng, pieces):
    """Cut at a random byte.  What is left of the piece, and whether it had lines of which some are whole."""
    at = rng.randrange(sum(len(piece.raw) for piece in pieces) + 1)
    whole = []
    for piece in pieces:
        if at < len(piece.raw):
            if piece.kind == "bucket" and at == len(piece.raw) - 1:
                at -= 1             # a row up to its last `|` may be taken as whole or not
            if piece.kind == "lost":
                at = min(at, 5)     # so may a notice that only lacks its end
            rest = piece.raw[:at]
            if b"\n" in rest and not piece.cut_anywhere:
                rest = rest.split(b"\n")[0]         # several lines of text: where they are cut, they could also end
            return whole, rest, b"\n" in rest or rest == b"" and at > 0 or after_section(whole)
        whole.append(piece)
        at -= len(piece.raw)
    return whole, b"", False


def after_section(whole):
    return bool(whole) and whole[-1].kind == "section"


def truth(tool, flavour, pieces, cut_line, cut_inside):
    ledger = dict(NO_LEDGER)
    notes = []
    interval, section = None, {}
    histograms_, rows, found = [], [], {}
    columns = None
    banner = False
    for piece in pieces:
        what = piece.what
        if piece.kind == "banner":
            banner = True
        elif piece.kind == "interval":
            interval = what
        elif piece.kind == "section":
            section = what
        elif piece.kind == "header":
            unit, scale = what
            histograms_.append({"unit": unit, "scale": scale, "section": section, "interval": interval, "buckets": []})
            section = {}
        elif piece.kind == "bucket":
            low, high, count = what
            histograms_[-1]["buckets"].append({"low": low, "high": high, "count": count})
        elif piece.kind == "columns":
            columns = what
        elif piece.kind == "row":
            rows.append({"TIME": interval, **what} if interval is not None else what)
        elif piece.kind == "frame":
            rows[-1].setdefault("stack", []).append(what)
        elif piece.kind == "stack":
            comm, pid, frames, count = what
            found[comm, pid, frames] = found.get((comm, pid, frames), 0) + count
        elif piece.kind == "lost":
            ledger[what[0]] += what[1]
            if what[0] == "kernel":
                notes.append("events were lost in the kernel")
        elif piece.kind == "junk":
            ledger["parse"] += 1
        elif piece.kind == "failed":
            notes.append("the tool failed")
    if cut_line:
        ledger["parse"] += 1
        notes.append("the print-out ends in the middle of a line")
    if cut_inside:
        ledger["parse"] = None          # how many lines are left over is a matter of taste
    result = {"tool": tool, "flavour": flavour, "ledger": ledger, "notes": notes}
    if tool in tools.STACKS:
        merged = [{"comm": comm, "pid": pid, "frames": list(frames), "count": count} for (comm, pid, frames), count in found.items()]
        result.update(kind="stacks", unit="usecs" if tool == "offcputime" else "samples", total=sum(found.values()), stacks=merged)
        nothing = not found
    elif columns is not None or tool in tools.EVENTS:
        if columns is None:
            rows, columns = [], []      # without the header nothing says what the rows are
            ledger["parse"] = None
        if interval is not None:
            columns = [{"name": "TIME", "type": "time"}] + columns
        result.update(kind="events", columns=columns, count=len(rows), events=rows)
        nothing = not columns
    else:
        histograms_ = [histogram for histogram in histograms_ if histogram["buckets"]]
        for histogram in histograms_:
            add_percentiles(histogram)
        result.update(kind="histogram", histograms=histograms_)
        nothing = not histograms_
    if nothing and not banner:
        notes.append(tools.NO_BANNER)
    result["partial"] = bool(notes) or (None if cut_inside else False)
    if tool in tools.STACKS and notes == [tools.NO_BANNER]:
        result["partial"] = None
    return result


def main():
    tool, flavour, seed, number = sys.argv[1:5]
    data, said = make(tool, flavour, int(seed), int(number))
    if "--truth" in sys.argv:
        print(json.dumps(said))
    else:
        sys.stdout.buffer.write(data)


if __name__ == "__main__":
    main()
