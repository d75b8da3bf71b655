"""Tables: a header line names the columns, then a row an event (or an interval, or a name with its total)."""
import re

from .lines import regex, text

CSV = ","


def digits(width, separator=" "):
    """A number as `%-<width>d ` prints it.  Exact, because a name with leading blanks may follow."""
    exact = [r"\d{%d,}" % width] + [r"\d{%d} {%d}" % (n, width - n) for n in range(1, width)]
    return "(?:" + "|".join(exact) + ")" + separator


def seconds(width, separator=" "):
    """Seconds with their decimals as `%-<width>.3f` prints them, all digits counted."""
    exact = [r"\d+\.\d{3}"] + [r"\d{%d}\.\d{3} {%d}" % (n, width - n - 4) for n in range(1, width - 4)]
    return "(?:" + "|".join(reversed(exact)) + ")" + separator


CHARACTER = r"(?:[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]+)"


def name(width, otherwise=r"|.*? +"):
    """A task's name as `%-<width>s ` prints it: C counts bytes; Python characters, when it has decoded them."""
    return r"(?:.{%d} |%s{%d} %s)" % (width, CHARACTER, width, otherwise)


CLOCK = r"\d\d:\d\d:\d\d +"
NUMBER = r"-?\d+ +"
SIZE = r"(?:-?\d+|LL_MAX) +"
WORD = r"\S+ +"
REST = r".*"
ARROW = r"-> +"

# Per tool: columns in any order that a header may name them: type, and how a row prints the field and the blanks after it.
# A field that may hold anything (a task's name) has the exact layout; fields before it are exact as well.
# A tuple of two chooses by flavour: (libbpf, bcc).
COLUMNS = {
    "execsnoop": {
        "TIME": ("time", r"\d\d:\d\d:\d\d "), "TIME(s)": ("decimal", seconds(8, "")), "UID": ("integer", digits(6, "")),
        "PCOMM": ("text", name(16, "")), "COMM": ("text", name(16, "")), "PID": ("integer", NUMBER), "PPID": ("integer", r"(?:\d+|\?) +"),
        "RET": ("integer", r" *-?\d+ "), "ARGS": ("text", REST),
    },
    "biosnoop": {
        "TIME(s)": ("decimal", r"(?:\d{5,}\.\d{6}|\d{4}\.\d{6}|\d{3}\.\d{6} |\d\d\.\d{6}  |\d\.\d{6}   ) "), "COMM": ("text", name(14)),
        "PID": ("integer", NUMBER), "DISK": ("text", WORD), "T": ("text", WORD), "SECTOR": ("integer", NUMBER),
        "BYTES": ("integer", NUMBER), "P": ("text", WORD), "QUE(ms)": ("decimal", r" *-?\d+(?:\.\d+)? +"), "LAT(ms)": ("decimal", r" *-?\d+\.\d+ *"),
    },
    "ext4slower": {
        "TIME": ("time", r"\d\d:\d\d:\d\d "), "COMM": ("text", (name(16), name(14))), "PID": ("integer", NUMBER), "T": ("text", r"\S +"),
        "BYTES": ("integer", SIZE), "OFF_KB": ("integer", NUMBER), "LAT(ms)": ("decimal", r" *-?\d+\.\d+ "), "FILENAME": ("text", REST),
    },
    "fileslower": {
        "TIME(s)": ("decimal", seconds(8)), "COMM": ("text", name(14)), "TID": ("integer", NUMBER), "D": ("text", r"\S +"),
        "BYTES": ("integer", NUMBER), "LAT(ms)": ("decimal", r" *-?\d+\.\d+ "), "FILENAME": ("text", REST),
    },
    "tcpconnlat": {
        "TIME(s)": ("decimal", r"\d+\.\d+ +"), "PID": ("integer", (digits(6), digits(7))), "COMM": ("text", name(12)), "IP": ("integer", r"[46] +"),
        "SADDR": ("address", WORD), "LPORT": ("port", r"\d+ +"), "DADDR": ("address", WORD), "DPORT": ("port", r"\d+ +"),
        "LAT(ms)": ("decimal", r" *\d+\.\d+ *"),
    },
    "tcpretrans": {
        "TIME": ("time", CLOCK), "PID": ("integer", NUMBER), "IP": ("integer", r"[46] +"), "LADDR:LPORT": ("text", WORD),
        "T": ("text", r"\S"), ">": (None, r"> +"), "RADDR:RPORT": ("text", r"\S+ *"), "STATE": ("text", r"\S+ *"), "SEQ": ("integer", r"\d+ *"), "RETRANSMITS": ("integer", r" *\d+"),
        "<->": (None, r"<-> +"),
    },
    "gethostlatency": {
        "TIME": ("time", (r"\d\d:\d\d:\d\d ", r"\d\d:\d\d:\d\d  ")), "PID": ("integer", digits(7)), "COMM": ("text", name(16)),
        "LATms": ("decimal", (seconds(10), r" *\d+\.\d\d ")), "HOST": ("text", REST),
    },
    "tcpdrop": {
        "TIME": ("time", CLOCK), "PID": ("integer", NUMBER), "IP": ("integer", r"[46] +"), "SADDR:SPORT": ("text", WORD), ">": (None, r"> +"),
        "DADDR:DPORT": ("text", WORD), "STATE": ("text", r"\S+ "), "(": (None, r"\("), "FLAGS": ("text", r"[^()]*"), ")": (None, r"\)"),
    },
    "tcpstates": {
        "TIME": ("time", CLOCK), "TIME(s)": ("decimal", r"(?:\d\d:\d\d:\d\d|\d+\.\d+) +"), "SKADDR": ("text", r"[0-9a-f]+ +"),
        "PID": ("integer", digits(7)), "COMM": ("text", name(10)), "C-PID": ("integer", digits(5)), "C-COMM": ("text", name(10)), "IP": ("integer", r"[46] +"),
        "LADDR": ("address", WORD), "LPORT": ("port", r"\d+ +"), "RADDR": ("address", WORD), "RPORT": ("port", r"\d+ +"),
        "OLDSTATE": ("text", WORD), "->": (None, ARROW), "NEWSTATE": ("text", WORD), "MS": ("decimal", r" *\d+\.\d+ *"),
    },
    "cachestat": {
        "TIME": ("time", CLOCK), "HITS": ("integer", " *" + NUMBER), "MISSES": ("integer", NUMBER), "DIRTIES": ("integer", NUMBER),
        "HITRATIO": ("decimal", r"-?\d+\.\d+%? +"), "BUFFERS_MB": ("integer", NUMBER), "CACHED_MB": ("integer", r"-?\d+ *"),
    },
    "hardirqs": {
        "HARDIRQ": ("text", r"\S.*? +"), "TOTAL_usecs": ("integer", r" *\d+ *"), "TOTAL_nsecs": ("integer", r" *\d+ *"),
        "TOTAL_count": ("integer", r" *\d+ *"), "MAX_usecs": ("integer", r" *\d+ *"), "CPU": ("integer", r" *\d+ *"),
    },
    "softirqs": {
        "SOFTIRQ": ("text", r"\S.*? +"), "TOTAL_usecs": ("integer", r" *\d+ *"), "TOTAL_nsecs": ("integer", r" *\d+ *"),
        "TOTAL_count": ("integer", r" *\d+ *"),
    },
}

# Comma separated, nothing quoted: a name may hold commas, so everything beside it is as narrow as it can be.
CSV_COLUMNS = {
    "ext4slower": {
        "ENDTIME_us": ("integer", r"\d+"), "ENDTIME_ns": ("integer", r"\d+"), "TASK": ("text", r".*?"), "PID": ("integer", r"\d+"),
        "TYPE": ("text", r"[A-Z]"), "BYTES": ("integer", r"(?:-?\d+|LL_MAX)"), "OFFSET_b": ("integer", r"-?\d+"),
        "LATENCY_us": ("integer", r"-?\d+"), "FILE": ("text", r".*"),
    },
    "tcpstates": {
        "TIME": ("time", r"\d\d:\d\d:\d\d"), "TIME(s)": ("decimal", r"\d+\.\d+"), "SKADDR": ("text", r"[0-9a-f]+"), "C-PID": ("integer", r"\d+"),
        "C-COMM": ("text", r".*?"), "PID": ("integer", r"\d+"), "COMM": ("text", r".*?"), "IP": ("integer", r"[46]"),
        "LADDR": ("address", r"[^,]+"), "LPORT": ("port", r"\d+"), "RADDR": ("address", r"[^,]+"), "RPORT": ("port", r"\d+"),
        "OLDSTATE": ("text", r"[A-Z_0-9]+"), "NEWSTATE": ("text", r"[A-Z_0-9]+"), "MS": ("decimal", r"\d+\.\d+"),
    },
}

# These columns are free text up to the end of the row: a newline in it continues in the next line.
FREE_ENDS = ("ARGS", "FILENAME", "FILE", "HOST")
TASK_NAMES = ("COMM", "PCOMM", "C-COMM", "TASK")
LONGEST_COMM = 15
FRAME = regex(r"\tb'(.*)'")
CLOCK_LINE = regex(r"\d\d:\d\d:\d\d *")
BLANK = regex(r" *")


class Layout:
    """The columns that one header line names, and what a row of them looks like."""

    def __init__(self, tool, flavour, tokens, columns, separator):
        self.tool, self.flavour, self.separator = tool, flavour, separator
        self.names = [token for token in tokens if columns[token][0]]
        self.types = {token: columns[token][0] for token in self.names}
        wide = "IP" in tokens and tool == "tcpstates" and not separator
        fields = []
        for i, token in enumerate(tokens):
            field = columns[token][1]
            if isinstance(field, tuple):
                field = field[0] if flavour == "libbpf" else field[1]
            if wide and token in TASK_NAMES:
                field = name(16)
            fields.append("(?P<c%d>%s)" % (self.names.index(token), field) if token in self.names else field)
        self.row = regex(separator.join(fields))
        if tool == "tcpstates" and "TIME(s)" in tokens and flavour == "libbpf":
            self.types["TIME(s)"] = "time"      # the header is wrong: it is the time of day
        self.free_end = tokens[-1] in FREE_ENDS
        self.has_task = any(token in TASK_NAMES for token in tokens)

    def match(self, raw):
        found = self.row.match(raw)
        if not found:
            return None
        row = {}
        for i, column in enumerate(self.names):
            row[column] = self.value(column, found.group("c%d" % i))
        return row

    def value(self, column, field):
        kind = self.types[column]
        if kind in ("integer", "port"):
            field = field.strip(" ")
            return int(field) if regex(r"-?\d+").match(field) else None
        if kind == "decimal":
            return float(field.strip(" ").rstrip("%"))
        if column == "ARGS" and self.flavour == "libbpf" and field.endswith(" "):
            return text(field[:-1])             # each argument is printed with a blank after it
        if column in FREE_ENDS or self.separator == CSV:
            return text(field)
        if column in TASK_NAMES:
            return text(field.rstrip(" "))      # blanks at the end of a name look like the padding
        return text(field.strip(" "))


def header_of(line, tool, flavour):
    """The layout when this line is a header of the tool, or None."""
    if tool in CSV_COLUMNS and CSV in line:
        tokens = line.split(CSV)
        if len(tokens) > 4 and all(token in CSV_COLUMNS[tool] for token in tokens):
            return Layout(tool, flavour, tokens, CSV_COLUMNS[tool], CSV)
        return None
    # Marks that stand beside a name are no part of it: `T>`, `(FLAGS)`.
    if tool in ("tcpretrans", "tcpdrop"):
        line = re.sub(r"([()]|(?<=T)>)", r" \1 ", line)
    tokens = [token for token in line.split(" ") if token]
    columns = COLUMNS[tool]
    if tokens == ["LADDR:LPORT", "RADDR:RPORT", "RETRANSMITS"]:
        tokens.insert(1, "<->")
    few = 2 if tool in ("hardirqs", "softirqs") else 4
    if len(tokens) < few or not all(token in columns for token in tokens) or len(set(tokens)) < len(tokens):
        return None
    return Layout(tool, flavour, tokens, columns, "")


def read_table(out, tool, flavour):
    """Columns and rows.  The header may come late or again; so look for it first."""
    headers = {i: header_of(line, tool, flavour) for i, line in enumerate(out.lines)}
    layouts = [layout for layout in headers.values() if layout]
    if not layouts:
        for i in skip_notices(out):
            if not BLANK.match(out.lines[i]):
                out.give_up(out.lines[i])
        return None, []
    layout = layouts[0]
    interval = None
    rows = []
    i = 0
    while i < len(out.lines):
        line = out.lines[i]
        if headers[i]:
            i += 1
            continue
        row, used = read_row(out.lines, i, layout, headers, 1)
        if not row:
            used = out.notice(i)
            if used:
                i += used
                continue
            row, used = read_row(out.lines, i, layout, headers, LONGEST_COMM + 1 if layout.has_task else 1)
        if row:
            if interval is not None:
                row = {"TIME": interval, **row}
            rows.append(row)
            i += used
            continue
        if tool == "tcpdrop" and FRAME.match(line) and rows:
            rows[-1].setdefault("stack", []).append(text(FRAME.match(line).group(1)))
            i += 1
            continue
        if tool in ("hardirqs", "softirqs") and CLOCK_LINE.match(line):
            interval = line.strip(" ")
            i += 1
            continue
        if rows and layout.free_end:
            rows[-1][layout.names[-1]] += "\n" + text(line)
        elif not BLANK.match(line):
            out.give_up(line)
        i += 1
    if interval is not None:
        layout.names.insert(0, "TIME")
        layout.types["TIME"] = "time"
    return layout, rows


OCCUPANCY = regex(r"runqocc(?:, CPU (\d+) +|: )(\d+\.\d+)%")


def read_occupancy(out):
    """runqlen -O: no histogram, but how many of the samples found a queue; per CPU with -C; `HH:MM:SS` before it with -T."""
    rows = []
    interval = None
    for i in skip_notices(out):
        found = OCCUPANCY.match(out.lines[i])
        if found:
            row = {"TIME": interval} if interval else {}
            row.update({"CPU": int(found.group(1))} if found.group(1) else {})
            rows.append({**row, "runqocc": float(found.group(2))})
        elif CLOCK_LINE.match(out.lines[i]):
            interval = out.lines[i]
        elif not BLANK.match(out.lines[i]):
            out.give_up(out.lines[i])
    kinds = {"TIME": "time", "CPU": "integer", "runqocc": "decimal"}
    return [{"name": name, "type": kinds[name]} for name in rows[0]], rows


def skip_notices(out):
    i = 0
    while i < len(out.lines):
        used = out.notice(i)
        if used == 0:
            yield i
        i += used or 1


def read_row(lines, i, layout, headers, most):
    """A row and its number of lines.  A task's name may hold newlines; then the line alone is no row, but up to `most` are."""
    for used in range(1, most + 1):
        if i + used > len(lines) or any(headers[j] for j in range(i, i + used)):
            break
        raw = "\n".join(lines[i:i + used])
        if layout.match(raw) is None:
            continue
        row = layout.match(raw)
        if layout.tool == "execsnoop" and layout.flavour == "libbpf" and not row["ARGS"].startswith('"'):
            # Every argument is followed by a blank: a line that ends without one goes on.  (Not with -q: no newlines there.)
            while not raw.endswith((" ", " ...")) and i + used < len(lines):
                raw += "\n" + lines[i + used]
                used += 1
        return layout.match(raw), used
    return None, 0
