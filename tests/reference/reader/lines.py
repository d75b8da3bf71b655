"""Bytes to lines, and the lines that any tool may print between its results."""
import re

NO_LEDGER = {"kernel": 0, "tool": 0, "cap": 0, "parse": 0, "spool": 0, "shed": 0}


def text(raw):
    """What a tool printed, as text.  A line is kept as latin-1, so that one character is one byte and widths are exact."""
    return raw.encode("latin-1").decode("utf-8", "replace")


def regex(pattern):
    """Whole-string patterns; only ASCII blanks and digits count; a dot is any byte, also a newline in a task name."""
    return re.compile(r"(?:" + pattern + r")\Z", re.ASCII | re.DOTALL)


# What was lost, and in which account it goes.  The number is in the line.
LOSSES = [
    ("kernel", regex(r"Possibly lost (\d+) samples")),
    ("kernel", regex(r"lost (\d+) events on CPU #-?\d+!?")),
    ("tool", regex(r"WARNING: (\d+) stack traces? (?:lost and )?could not be displayed\..*")),
]

# One stack or event each that the tool could not show.
SKIPPED = [
    regex(r"    \[Missed (?:User|Kernel) Stack\]"),
    regex(r"WARN: Skipped an event with negative duration: .*"),
    regex(r"Exception ignored on calling ctypes callback function: .*"),
]

# The tool did not do its work, whatever its exit code says.
FAILURES = [
    regex(r"Unable to find kernel headers\..*"),
    regex(r"ERROR: .*"),
    regex(r"libbpf: (?:prog .*|Error in .*|failed to load .*|permission error .*)"),
    regex(r"[Ff]ailed to (?:load|open|attach|init|create|bump|parse|set|allocate)\b.*"),
    regex(r"invaild partition name: not exist"),
    regex(r"terminate called after throwing an instance of .*"),
    regex(r"usage: .*"),
    regex(r"Usage: .*"),
    regex(r".*: error: .*"),
    regex(r".*: (?:unrecognized|invalid) option .*"),
    regex(r"Try `.* --help' or `.* --usage' for more information\."),
]

# Said in good runs too.
HARMLESS = [
    regex(r"(?:Tracing|Sampling|Sampled) .*"),
    regex(r"WARNING: tcp_drop\(\) kernel function not found or traceable\..*"),
    regex(r"Current kernel does not have __vfs_(?:read|write), try vfs_(?:read|write) instead"),
    regex(r"cannot attach kprobe, probe entry may not exist"),
    regex(r"HINT: .*"),
    regex(r"Detaching\.\.\."),
    regex(r"failed to get syms"),
    regex(r"libbpf: .*"),
    regex(r"sh: \d+: modprobe: not found"),
    regex(r"chdir\(/lib/modules/[^)]*\): No such file or directory"),
]
BANNER = HARMLESS[0]

TRACEBACK = regex(r"Traceback \(most recent call last\):")
IGNORED = SKIPPED[2]
EXCEPTION = regex(r"[A-Za-z_][\w.]*(?:: .*|: ?)?")


class PrintOut:
    """Complete lines, the ledger, and whether something is missing."""

    def __init__(self, data):
        pieces = data.decode("latin-1").split("\n")
        self.cut = pieces.pop()             # after the last newline: a line that was cut, or nothing
        self.lines = pieces
        self.ledger = dict(NO_LEDGER)
        self.leftover = []
        self.failed = False
        self.banner = False
        if self.cut:
            self.give_up(self.cut)

    def give_up(self, line):
        """No grammar understands this line."""
        self.leftover.append(text(line))
        self.ledger["parse"] += 1

    def notice(self, i):
        """How many lines from the i-th are no result but something said besides; 0 when the line may be a result."""
        line = self.lines[i]
        for account, pattern in LOSSES:
            found = pattern.match(line)
            if found:
                self.ledger[account] += int(found.group(1))
                return 1
        if TRACEBACK.match(line):
            return self.traceback(i)
        if any(pattern.match(line) for pattern in SKIPPED):
            self.ledger["tool"] += 1
            return 1
        if any(pattern.match(line) for pattern in FAILURES):
            self.failed = True
            return 1
        if any(pattern.match(line) for pattern in HARMLESS):
            self.banner = self.banner or bool(BANNER.match(line))
            return 1
        return 0

    def traceback(self, i):
        """Indented lines up to the exception's name.  After `Exception ignored` the tool goes on, otherwise it has died."""
        ignored = i > 0 and IGNORED.match(self.lines[i - 1])
        self.failed = self.failed or not ignored
        end = i + 1
        while end < len(self.lines) and self.lines[end].startswith(" "):
            end += 1
        if end < len(self.lines) and EXCEPTION.match(self.lines[end]):
            end += 1
        return end - i
