"""The twenty tools: which kind of result each gives."""
from . import histogram, lines, stacks, table

HISTOGRAMS = ("runqlat", "runqlen", "cpudist", "biolatency", "bitesize", "tcprtt")
STACKS = ("profile", "offcputime")
EVENTS = ("biosnoop", "ext4slower", "fileslower", "tcpconnlat", "tcpretrans", "gethostlatency", "tcpdrop", "tcpstates", "cachestat", "execsnoop")
NO_BANNER = "not even a banner: nothing is known"
BOTH = ("hardirqs", "softirqs")         # totals as a table, or with -d histograms
TOOLS = HISTOGRAMS + STACKS + EVENTS + BOTH


def read(tool, flavour, data):
    """The object that `trawl parse TOOL --flavour FLAVOUR -o json` prints for these bytes."""
    out = lines.PrintOut(data)
    kind = kind_of(tool, flavour, out)
    if kind == "histogram":
        body = {"histograms": histogram.read_histograms(out, tool, flavour)}
        something = bool(body["histograms"])
    elif kind == "events" and tool == "runqlen":
        columns, rows = table.read_occupancy(out)
        body = {"columns": columns, "count": len(rows), "events": rows}
        something = True
    elif kind == "events":
        layout, rows = table.read_table(out, tool, flavour)
        columns = [{"name": name, "type": layout.types[name]} for name in layout.names] if layout else []
        body = {"columns": columns, "count": len(rows), "events": rows}
        something = layout is not None
    else:
        found = stacks.read_stacks(out, tool, flavour)
        body = {"unit": "usecs" if tool == "offcputime" else "samples", "total": sum(stack["count"] for stack in found),
                "stacks": merge(found)}
        something = bool(found)
    notes = []
    if out.cut:
        notes.append("the print-out ends in the middle of a line")
    if out.failed:
        notes.append("the tool failed")
    if out.ledger["kernel"]:
        notes.append("events were lost in the kernel")
    if not something and not out.banner:
        notes.append(NO_BANNER)
    partial = bool(notes)
    if kind == "stacks" and data and notes == [NO_BANNER]:
        partial = None          # -f and libbpf have no banner: nothing but notices may be all that there was
    return {"tool": tool, "flavour": flavour, "kind": kind, "partial": partial, "ledger": out.ledger, "notes": notes,
            "leftover": "\n".join(out.leftover), **body}


def kind_of(tool, flavour, out):
    if tool in STACKS:
        return "stacks"
    if tool in EVENTS:
        return "events"
    if tool in BOTH and any(table.header_of(line, tool, flavour) for line in out.lines):
        return "events"
    if tool == "runqlen" and any(table.OCCUPANCY.match(line) for line in out.lines):
        return "events"
    return "histogram"


def merge(found):
    """The same stack is printed many times: add up what agrees in everything."""
    merged = {}
    for stack in found:
        key = (stack["comm"], stack["pid"], tuple(stack["frames"]))
        if key in merged:
            merged[key]["count"] += stack["count"]
        else:
            merged[key] = dict(stack)
    return list(merged.values())
