"""Power-of-two and linear histograms, in sections and intervals."""
from .lines import regex, text

HEADER = regex(r" +(usecs|msecs|nsecs|Kbytes|runqlen) +: count +distribution *")
LOG2_ROW = regex(r" *(\d+) -> (\d+) +: (-?\d+) +\|(\** *)\|")
LINEAR_ROW = regex(r" +(\d+) +: (-?\d+) +\|(\** *)\|")
CLOCK = regex(r"\d\d:\d\d:\d\d")
AVERAGE = regex(r"\s*avg = .*total: .*count: .*")
BLANK = regex(r" *")

LONGEST_COMM = 15       # bytes; the kernel's TASK_COMM_LEN less its end

# The last bucket that a libbpf tool has room for also takes everything above.
OPEN_FROM = {"runqlat": 1 << 25, "tcprtt": 1 << 26, "biolatency": 1 << 26, "bitesize": 1 << 19, "hardirqs": 1 << 19,
             "softirqs": 1 << 19, "cpudist": 1 << 35}

# Section lines: label, and how the rest is read.
NUMBER_AND_COMM = regex(r"(pid|tid|pidns) = (\d+)(?: (.*))?")
DISK_AND_FLAGS = regex(r"disk = ([^\t]*)\tflags = (.*)")
COMM = regex(r"(Process Name) = (.*)")
ADDRESS = regex(r"(All Addresses|Local Address|Remote Addres|Remote Address) = (\S*) ?(?:\[AVG \d+\])?\s*")
ONE_NAME = regex(r"(disk|flags|hardirq|softirq|cpu) = ([^\t]*)\t?")


def section_of(line, longest):
    """Section as label → text, and whether its name could go on in the next line; None when it is no section line."""
    found = NUMBER_AND_COMM.match(line)
    if found:
        label, number, comm = found.groups()
        if comm is None:
            return {label: number}, False
        return {label: number, "comm": text(comm)}, len(comm) < longest
    found = COMM.match(line)
    if found:
        return {found.group(1): text(found.group(2))}, len(found.group(2)) < longest
    found = DISK_AND_FLAGS.match(line)
    if found:
        return {"disk": text(found.group(1)), "flags": text(found.group(2))}, False
    found = ADDRESS.match(line) or ONE_NAME.match(line)
    if found:
        return {found.group(1): text(found.group(2))}, False
    return None


def read_section(lines, i, longest):
    """The section that starts in line i.  A task's name may hold newlines: then it goes on until the histogram's header.
    Returns the section and the number of lines, or None."""
    for used in range(1, longest + 2):
        if i + used > len(lines):
            break
        found = section_of("\n".join(lines[i:i + used]), longest)
        if found is None:
            return None
        section, may_go_on = found
        if i + used < len(lines) and HEADER.match(lines[i + used]):
            return section, used
        if not may_go_on:
            break
    return section_of(lines[i], longest)[0], 1


def read_histograms(out, tool, flavour):
    histograms = []
    interval = None
    section = {}
    current = None
    i = 0
    while i < len(out.lines):
        line = out.lines[i]
        header = HEADER.match(line)
        if header:
            unit = header.group(1)
            current = {"unit": unit, "scale": "linear" if unit == "runqlen" else "log2",
                       "section": section, "interval": interval, "buckets": []}
            histograms.append(current)
            section = {}
            i += 1
            continue
        if current is not None:
            bucket = read_bucket(line, current, tool, flavour)
            if bucket:
                current["buckets"].append(bucket)
                i += 1
                continue
        if BLANK.match(line) or AVERAGE.match(line):
            current = None
            i += 1
            continue
        if CLOCK.match(line):
            interval = line
            current = None
            i += 1
            continue
        with_newline = (tool, flavour) == ("cpudist", "bcc")       # it prints the name as read from /proc/PID/comm
        found = read_section(out.lines, i, LONGEST_COMM + with_newline)
        if found:
            section, used = found
            if with_newline and section.get("comm", "").endswith("\n"):
                section["comm"] = section["comm"][:-1]
            current = None
            i += used
            continue
        used = out.notice(i)
        if used == 0:
            out.give_up(line)
        i += used or 1
    histograms = [histogram for histogram in histograms if histogram["buckets"]]       # cut after the header: it says nothing
    for histogram in histograms:
        add_percentiles(histogram)
    return histograms


def read_bucket(line, histogram, tool, flavour):
    """The row as a bucket, when it is the one that can come next in this histogram."""
    before = histogram["buckets"]
    if histogram["scale"] == "linear":
        found = LINEAR_ROW.match(line)
        if not found:
            return None
        low = high = int(found.group(1))
        count = found.group(2)
        if before and low <= before[-1]["low"]:
            return None
    else:
        found = LOG2_ROW.match(line)
        if not found:
            return None
        low, high, count = int(found.group(1)), int(found.group(2)), found.group(3)
        slot = len(before)
        if (low, high) != ((0, 1) if slot == 0 else (1 << slot, (2 << slot) - 1)):
            return None
        if flavour == "libbpf" and low == OPEN_FROM.get(tool):
            high = None
    count = int(count)
    if count < 0:
        count += 1 << 32        # an unsigned 32-bit count, printed as if it had a sign
    return {"low": low, "high": high, "count": count}


def add_percentiles(histogram):
    buckets = histogram["buckets"]
    total = sum(bucket["count"] for bucket in buckets)
    histogram["total"] = total
    histogram["brackets"] = {}
    for name, thousandths in (("p50", 500), ("p90", 900), ("p99", 990), ("p999", 999)):
        rank = -(-total * thousandths // 1000)      # rounded up
        seen = 0
        histogram[name] = histogram["brackets"][name] = None
        for bucket in buckets:
            seen += bucket["count"]
            if total > 0 and seen >= rank:
                low, high = bucket["low"], bucket["high"]
                histogram[name] = low if high is None else (low + high) / 2
                histogram["brackets"][name] = [low, high]
                break
