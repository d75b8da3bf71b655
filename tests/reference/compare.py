#!/usr/bin/env python3
"""Runs `trawl parse` and the reference reader over the same print-outs and says where they differ.  Exit code 1 when they do.

  compare.py --captures DIR            KERNEL/FLAVOUR/TOOL/CASE.{stdout,stderr}[.gz]
  compare.py --golden DIR              TOOL/KERNEL-FLAVOUR-CASE.{txt,err}
  compare.py --tool T --flavour F FILE…
  compare.py --generated N --seed S    N made-up print-outs per tool and flavour, whose truth is known
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import generate
import read
from reader import tools

FLAVOUR = {"bpfcc": "bcc"}      # as the captures call it
REPLY_LIMIT_S = 300
BATCH = 32

# One column for an address and its port: either type is right.
COMPOSED = ("LADDR:LPORT", "RADDR:RPORT", "SADDR:SPORT", "DADDR:DPORT")


def main():
    options = arguments()
    known = trawl_tools(options.trawl)
    cases = list(recorded(options)) + list(generated(options))
    skipped = [case for case in cases if case["tool"] not in known or options.only and case["tool"] not in options.only]
    cases = [case for case in cases if case not in skipped] if skipped else cases
    counts = {}
    differing = []
    with concurrent.futures.ProcessPoolExecutor(max_workers=options.jobs) as pool:
        groups = batches(cases)
        answers = pool.map(check, groups, [options.trawl] * len(groups), [options.strict] * len(groups))
        for case, differences in ((case, found) for group, of_group in zip(groups, answers) for case, found in zip(group, of_group)):
            key = (case["tool"], case["flavour"])
            agreed, all_cases = counts.get(key, (0, 0))
            counts[key] = (agreed + (not differences), all_cases + 1)
            if differences:
                differing.append(case["name"])
                for line in differences[:options.most]:
                    print("%s: %s" % (case["name"], line))
                if options.keep:
                    pathlib.Path(options.keep).mkdir(parents=True, exist_ok=True)
                    (pathlib.Path(options.keep) / case["name"].replace("/", "_")).write_bytes(load(case))
    for (tool, flavour), (agreed, all_cases) in sorted(counts.items()):
        if options.verbose or agreed < all_cases:
            print("%-14s %-6s %d of %d agree" % (tool, flavour, agreed, all_cases), file=sys.stderr)
    print("%d print-outs of %d tools compared, %d agree, %d differ; %d of tools that trawl does not have were left out" %
          (len(cases), len({case["tool"] for case in cases}), len(cases) - len(differing), len(differing), len(skipped)), file=sys.stderr)
    if options.expect and len(cases) < options.expect:
        print("expected at least %d print-outs" % options.expect, file=sys.stderr)
        return 1
    return 1 if differing else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--trawl", default=os.path.join(os.environ.get("TRAWL_BIN", "build/dev/bin"), "trawl"))
    parser.add_argument("--captures")
    parser.add_argument("--golden")
    parser.add_argument("--tool", choices=tools.TOOLS)
    parser.add_argument("--flavour", choices=("libbpf", "bcc"), default="libbpf")
    parser.add_argument("--generated", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="just these tools")
    parser.add_argument("--strict", action="store_true", help="also the accounts of lines in a failed tool's last words")
    parser.add_argument("--expect", type=int, default=0, help="fail when fewer print-outs than this were compared")
    parser.add_argument("--largest", type=int, default=1 << 40, help="leave out recorded files of more bytes")
    parser.add_argument("--most", type=int, default=3, help="differences shown per print-out")
    parser.add_argument("--keep", help="write differing print-outs into this directory")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def trawl_tools(trawl):
    said = json.loads(subprocess.run([trawl, "tools", "-o", "json"], stdout=subprocess.PIPE, check=True).stdout)
    return {tool["tool"] for tool in said["tools"]}


def recorded(options):
    """Each recorded stream alone, and both in one file, as `TOOL >file 2>&1` leaves them."""
    for path in options.files:
        yield {"name": path, "tool": options.tool, "flavour": options.flavour, "paths": [path]}
    pairs = []
    if options.captures:
        for path in sorted(pathlib.Path(options.captures).glob("*/*/*/*.stdout*")):
            flavour, tool = path.parts[-3:-1]
            pairs.append((tool, FLAVOUR.get(flavour, flavour), path, path.parent / (path.name.split(".stdout")[0] + ".stderr")))
    if options.golden:
        for path in sorted(pathlib.Path(options.golden).glob("*/*.txt")):
            pairs.append((path.parts[-2], path.name.split("-")[1], path, path.with_suffix(".err")))
    for tool, flavour, stdout, stderr in pairs:
        if tool not in tools.TOOLS or flavour not in ("libbpf", "bcc") or stdout.stat().st_size > options.largest:
            continue
        name = "/".join(stdout.parts[-4:])
        yield {"name": name, "tool": tool, "flavour": flavour, "paths": [str(stdout)]}
        if stderr.exists() and stderr.stat().st_size > 0:
            yield {"name": "/".join(stderr.parts[-4:]), "tool": tool, "flavour": flavour, "paths": [str(stderr)]}
            yield {"name": name + "+err", "tool": tool, "flavour": flavour, "paths": [str(stdout), str(stderr)]}


def generated(options):
    for tool in tools.TOOLS:
        for flavour in generate.FLAVOURS[tool]:
            for number in range(options.generated):
                name = "generated/%s/%s/seed-%d-%d" % (tool, flavour, options.seed, number)
                yield {"name": name, "tool": tool, "flavour": flavour, "generated": (options.seed, number)}


def load(case):
    if "generated" in case:
        return generate.make(case["tool"], case["flavour"], *case["generated"])[0]
    return b"".join(read.load(path) for path in case["paths"])


def batches(cases):
    """Lists of cases of one tool and flavour: a process of trawl for each list, not for each case."""
    groups = {}
    for case in cases:
        groups.setdefault((case["tool"], case["flavour"]), []).append(case)
    return [group[i:i + BATCH] for group in groups.values() for i in range(0, len(group), BATCH)]


def check(cases, trawl, strict):
    """For each of these print-outs of one tool and flavour its differences, as lines."""
    texts = [load(case) for case in cases]
    answers = run(trawl, cases[0]["tool"], cases[0]["flavour"], texts)
    return [list(compared(case, text, said, strict)) for case, text, said in zip(cases, texts, answers)]


def compared(case, text, said, strict):
    if isinstance(said, str):
        yield said
        return
    reference = tools.read(case["tool"], case["flavour"], text)
    if "generated" not in case:
        yield from differences(said, reference, "trawl", "reference", strict)
        return
    truth = generate.make(case["tool"], case["flavour"], *case["generated"])[1]
    yield from differences(said, truth, "trawl", "truth", strict)
    yield from differences(reference, truth, "reference", "truth", strict)


def run(trawl, tool, flavour, texts):
    """What `trawl parse` says of each: an object, or a line that says why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / str(i) for i in range(len(texts))]
        for file, text in zip(files, texts):
            file.write_bytes(text)
        try:
            done = subprocess.run([trawl, "parse", tool, "--flavour", flavour, "-o", "json", *files],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=REPLY_LIMIT_S)
        except subprocess.TimeoutExpired:
            return ["trawl parse did not end in %d s" % REPLY_LIMIT_S] * len(texts)
    lines = done.stdout.splitlines()
    if len(lines) != len(texts):
        said = "trawl parse: exit code %d, %d objects for %d print-outs: %s" % (
            done.returncode, len(lines), len(texts), done.stderr.decode(errors="replace")[:200])
        return [said] * len(texts)
    return [decoded(line) for line in lines]


def decoded(line):
    try:
        said = json.loads(line)
    except ValueError:
        return "trawl parse: no JSON: %s" % line[:200].decode(errors="replace")
    return said if isinstance(said, dict) else "trawl parse: not an object"


def differences(said, right, one, other, strict):
    """Lines `KEY.PATH: one says …, other says …`, in the order of the contract."""
    def unequal(path, a, b):
        return "%s: %s says %s, %s says %s" % (path, one, show(a), other, show(b))

    for key in ("tool", "flavour", "kind", "partial"):
        if right[key] is not None and said.get(key) != right[key]:
            yield unequal(key, said.get(key), right[key])
    ledger = said.get("ledger", {})
    accounts = ["kernel"] + (["tool", "parse"] if strict or "the tool failed" not in right["notes"] else [])
    for account in accounts:
        if right["ledger"][account] is not None and ledger.get(account) != right["ledger"][account]:
            yield unequal("ledger." + account, ledger.get(account), right["ledger"][account])
    if right["kind"] == "histogram":
        mine, theirs = said.get("histograms", []), right["histograms"]
        yield from lists("histograms", [without_number(h, i, mine) for i, h in enumerate(mine)], theirs, unequal)
    elif right["kind"] == "events":
        mine = said.get("events", [])
        if any(column.get("name") == "interval" for column in said.get("columns", [])):
            said, mine = without_interval_column(said, mine)
        yield from lists("columns", [column_of(c) for c in said.get("columns", [])], [column_of(c) for c in right["columns"]], unequal)
        if said.get("count") != len(mine):
            yield unequal("count", said.get("count"), len(mine))
        yield from lists("events", mine, right["events"], unequal)
    else:
        for key in ("unit", "total"):
            if said.get(key) != right[key]:
                yield unequal(key, said.get(key), right[key])
        mine, theirs = bag(said.get("stacks", [])), bag(right["stacks"])
        for key in sorted(set(mine) | set(theirs), key=repr):
            if mine.get(key) != theirs.get(key):
                yield unequal("stacks[comm=%s, frames=%s].count" % (show(key[0]), show(list(key[1]))), mine.get(key), theirs.get(key))


def without_number(histogram, i, histograms):
    """An interval that the tool does not mark may be null or its number, `#1`, `#2`, …, in order."""
    mark = histogram.get("interval")
    if not isinstance(mark, str) or not mark.startswith("#"):
        return histogram
    before = histograms[i - 1].get("interval") if i else "#0"
    follows = isinstance(before, str) and before[1:].isdigit() and int(mark[1:]) - int(before[1:]) in ((0, 1) if i else (1,))
    alone = histogram.get("section") != {} or mark == "#%d" % (i + 1)
    return dict(histogram, interval=None) if follows and alone else histogram


def without_interval_column(said, rows):
    """The same for tables of totals: a column of numbers `#1`, `#2`, …"""
    numbers = [row.get("interval") for row in rows]
    if numbers != sorted(numbers, key=lambda mark: int(mark[1:]) if isinstance(mark, str) and mark[1:].isdigit() else -1):
        return said, rows
    columns = [column for column in said["columns"] if column["name"] != "interval"]
    return dict(said, columns=columns), [{key: value for key, value in row.items() if key != "interval"} for row in rows]


def column_of(column):
    kind = column.get("type")
    return {"name": column.get("name"), "type": "text" if column.get("name") in COMPOSED and kind == "address" else kind}


def bag(stacks):
    counts = {}
    for stack in stacks:
        key = (stack["comm"], tuple(stack["frames"]))
        counts[key] = counts.get(key, 0) + stack["count"]
    return counts


def lists(path, mine, theirs, unequal):
    """The first difference of each pair of elements, then the lengths."""
    for i, (a, b) in enumerate(zip(mine, theirs)):
        difference = first(path + "[%d]" % i, a, b)
        if difference:
            yield unequal(*difference)
    if len(mine) != len(theirs):
        yield unequal(path + ".length", len(mine), len(theirs))


def first(path, a, b):
    """Path and values of the first difference of two JSON values; None when they are equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in list(b) + [key for key in a if key not in b]:
            if key not in a or key not in b:
                return path + "." + key, a.get(key, "nothing"), b.get(key, "nothing")
            difference = first(path + "." + key, a[key], b[key])
            if difference:
                return difference
        return None
    if isinstance(a, list) and isinstance(b, list):
        for i, (x, y) in enumerate(zip(a, b)):
            difference = first("%s[%d]" % (path, i), x, y)
            if difference:
                return difference
        return None if len(a) == len(b) else (path + ".length", len(a), len(b))
    same = a == b and isinstance(a, bool) == isinstance(b, bool)
    return None if same else (path, a, b)


def show(value):
    said = json.dumps(value, ensure_ascii=True)
    return said if len(said) <= 160 else said[:157] + "..."


if __name__ == "__main__":
    sys.exit(main())
