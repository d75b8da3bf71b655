"""Folded stacks (a line each, root first) and blocks (a line a frame, leaf first)."""
from .lines import regex, text

FOLDED = regex(r"(.*) (\d+)")
BLOCK_FRAME = regex(r"    (\S.*)")
BEFORE_COMM = "    -                "
BLOCK_END = regex(BEFORE_COMM + r"(.*) \((\d+)\)")
BLOCK_COUNT = regex(r"        (\d+)")
BLANK = regex(r" *")
MISSED = regex(r"    \[Missed (?:User|Kernel) Stack\]")
LONGEST_COMM = 15


def read_stacks(out, tool, flavour):
    """Folded or blocks?  The first line that is a stack's tells: in a block it is indented."""
    if (tool, flavour) == ("offcputime", "libbpf"):
        return read_blocks(out, flavour)            # it has no -f
    for line in out.lines + [out.cut]:
        if not BLANK.match(line) and not is_notice(line):
            return read_blocks(out, flavour) if line.startswith("    ") else read_folded(out)
    return read_folded(out)


def read_folded(out):
    stacks = []
    i = 0
    while i < len(out.lines):
        used = folded_length(out.lines, i)
        if used:
            names, count = FOLDED.match("\n".join(out.lines[i:i + used])).groups()
            comm, *frames = names.split(";")
            frames = [frame.removesuffix("_[k]") for frame in frames if frame != "-"]       # -a, -d: marks of the kernel
            stacks.append({"frames": [text(frame) for frame in frames], "count": int(count), "comm": text(comm), "pid": None})
        elif not BLANK.match(out.lines[i]):
            used = out.notice(i)
            if not used:
                out.give_up(out.lines[i])
        i += used or 1
    return stacks


def folded_length(lines, i):
    """How many lines make the folded stack that starts in line i; 0 when none does.  More than one when newlines are in the
    task's name, which comes first: then all but the last line belong to the name."""
    if BLANK.match(lines[i]) or is_notice(lines[i]):
        return 0
    for used in range(1, LONGEST_COMM + 2):
        if i + used > len(lines):
            return 0
        if len("\n".join(lines[i:i + used - 1])) >= LONGEST_COMM:
            return 0
        if FOLDED.match(lines[i + used - 1]):
            return used
    return 0


def is_notice(line):
    """None of the known notices ends in a blank and a number, but the last words of a failure may."""
    return line.startswith(("WARNING: ", "WARN: ", "Possibly lost ", "Tracing ", "Sampling ", "libbpf: ", "failed to ")) or " events on CPU #" in line


def read_blocks(out, flavour):
    stacks = []
    frames = []
    i = 0
    while i < len(out.lines):
        line = out.lines[i]
        used = block_end_length(out.lines, i)
        if used:
            comm, pid = BLOCK_END.match("\n".join(out.lines[i:i + used])).groups()
            i += used
            # The count follows.  A notice may come between, and the print-out may end here.
            while i < len(out.lines) and not BLOCK_COUNT.match(out.lines[i]) and out.notice(i):
                i += 1
            if i < len(out.lines) and BLOCK_COUNT.match(out.lines[i]):
                stacks.append({"frames": [text(frame) for frame in reversed(frames)],
                               "count": int(BLOCK_COUNT.match(out.lines[i]).group(1)), "comm": text(comm), "pid": int(pid)})
                i += 1
                frames = []
            elif i == len(out.lines):
                frames.append("- %s (%s)" % (comm, pid))        # the print-out ends before the count
            else:
                out.give_up("\n".join(frames))
                frames = []
            continue
        frame = BLOCK_FRAME.match(line)
        if flavour == "libbpf" and MISSED.match(line):
            out.notice(i)           # on its standard error; bcc prints it in the place of the frames
            i += 1
        elif frame and frame.group(1) == "--":
            i += 1                  # -d: marks where the kernel begins
        elif frame:
            frames.append(frame.group(1).removesuffix("_[k]"))
            i += 1
        elif BLANK.match(line):
            i += 1
        else:
            used = out.notice(i)
            if not used:
                out.give_up(line)
            i += used or 1
    if frames and not out.cut:
        out.cut = "\n".join(frames)            # one stack that has no end: one event, whether or not its last line was cut
        out.give_up(out.cut)
    return stacks


def block_end_length(lines, i):
    """How many lines from line i are the end of a block, `-  comm (pid)`; 0 when it is none."""
    for used in range(1, LONGEST_COMM + 2):
        if i + used > len(lines) or not lines[i].startswith(BEFORE_COMM):
            return 0
        if used > 1 and len("\n".join(lines[i:i + used - 1])) - len(BEFORE_COMM) >= LONGEST_COMM:
            return 0
        if BLOCK_END.match("\n".join(lines[i:i + used])):
            return used
    return 0
