#!/usr/bin/env python3
"""export_check.py EXPORT_MADE: reads each exported form back with a reader of its own and compares it with export_made.c."""
import functools
import gzip
import json
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

MADE = sys.argv.pop(1)
TOTAL = 999001
HEAD = "profile · 2 of 3 hosts · 1 offline · 10 s · campaign 123456789012"
LOST = "lost: 12 events lost in the kernel's buffers · 4096 bytes of print-out over the cap"
HOSTILE = "<&>\"'\\x01\\x85\N{REPLACEMENT CHARACTER}]]>"


@functools.lru_cache(maxsize=None)
def made(form):
    return subprocess.run([MADE, form], check=True, stdout=subprocess.PIPE).stdout


class Flame(unittest.TestCase):
    SVG = "{http://www.w3.org/2000/svg}"

    def read(self, form):
        root = ElementTree.fromstring(made(form))
        frames = {}
        for g in root.iter(self.SVG + "g"):
            rect = g.find(self.SVG + "rect")
            title = g.find(self.SVG + "title").text
            frames.setdefault(title.rpartition(" (")[0], []).append((title.rpartition(" (")[2], rect.attrib))
        return root, frames

    def test_counts_and_widths_add_up(self):
        root, frames = self.read("flame")
        self.assertEqual(frames["all"][0][0], f"{TOTAL} samples, 100.00%)")
        self.assertEqual(frames["curl"][0][0], "900001 samples, 90.09%)")
        self.assertEqual(frames["main"][0][0], "900000 samples, 90.09%, user)")
        self.assertEqual(frames["do;syscall"][0][0], "300000 samples, 30.03%, kernel)")
        top = sum(float(frames[n][0][1]["width"]) for n in ("curl", "no frames", HOSTILE))
        self.assertAlmostEqual(top, 1200, delta=0.02)

    def test_the_first_text_is_what_was_asked_coverage_and_ledger(self):
        root, _ = self.read("flame")
        texts = [t.text for t in root.iter(self.SVG + "text")]
        self.assertEqual(texts[0], HEAD + " · " + LOST)
        self.assertIn("1 frames narrower than 0.1 px are not drawn", texts[1])

    def test_a_hostile_name_stays_text(self):
        root, frames = self.read("flame")
        self.assertIn(HOSTILE, frames)
        self.assertIn("<script>alert('1')</script>&\"", frames)
        self.assertIn("\\x1b[2J\N{REPLACEMENT CHARACTER}\\x0a9", frames)
        self.assertEqual(len(list(root.iter(self.SVG + "script"))), 1)

    def test_kernel_and_user_have_colours_of_their_own(self):
        _, frames = self.read("flame")
        self.assertNotEqual(frames["do;syscall"][0][1]["fill"], frames["main"][0][1]["fill"])

    def test_a_comparison_has_both_shares(self):
        root, frames = self.read("versus")
        self.assertEqual(frames["do;syscall"][0][0], "300000 samples, 30.03%; before 30.00%, kernel)")
        self.assertEqual(sum("red grew" in (t.text or "") for t in root.iter(self.SVG + "text")), 1)


HOSTILE_TEXT = "<&>\"'\x01\x85\ufffe]]>"
SCRIPT = "<script>alert('1')</script>&\""
STACKS = {
    ("curl", "main", "work"): 600000,
    ("curl", "main", "work", "do;syscall"): 300000,
    (HOSTILE_TEXT, SCRIPT, "\x1b[2J\N{REPLACEMENT CHARACTER}\n9"): 90000,
    ("no frames",): 9000,
    ("curl", "tiny"): 1,
}


class Folded(unittest.TestCase):
    def test_every_stack_is_a_line_and_the_head_is_none(self):
        text = made("folded").decode()
        lines = [m.groups() for m in (re.fullmatch(r"(.*) (\d+(?:\.\d*)?)", line) for line in text.split("\n")) if m]
        want = {";".join(re.sub("[\x00-\x1f]", " ", f.replace(";", ":")) for f in stack): n for stack, n in STACKS.items()}
        self.assertEqual({stack: int(n) for stack, n in lines}, want)
        self.assertEqual(text.split("\n")[:2], [f"# {HEAD} #", f"# {LOST} #"])


class Speedscope(unittest.TestCase):
    def test_samples_and_weights(self):
        read = json.loads(made("speedscope"))
        profile, frames = read["profiles"][0], read["shared"]["frames"]
        stacks = {tuple(frames[i]["name"] for i in s): w for s, w in zip(profile["samples"], profile["weights"])}
        self.assertEqual(stacks, STACKS)
        self.assertEqual((profile["type"], profile["unit"], profile["endValue"]), ("sampled", "none", TOTAL))
        self.assertEqual(read["name"], HEAD + " · " + LOST)


def fields(data):
    """The fields of one protobuf message: number → values (integers or bytes), in order."""
    at, out = 0, {}

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        elif key & 7 == 2:
            n = varint()
            value, at = data[at : at + n], at + n
            assert len(value) == n
        else:
            raise ValueError(f"wire type {key & 7}")
        out.setdefault(key >> 3, []).append(value)
    return out


def packed(data):
    """A packed list of varints, read as a message of nothing else would be."""
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value)
            value = shift = 0
    return values


class Pprof(unittest.TestCase):
    """Field numbers from the published profile.proto."""

    def setUp(self):
        self.profile = fields(gzip.decompress(made("pprof")))
        self.text = [t.decode() for t in self.profile[6]]

    def test_the_string_table_begins_with_the_empty_one(self):
        self.assertEqual(self.text[0], "")
        value_type = fields(self.profile[1][0])
        self.assertEqual((self.text[value_type[1][0]], self.text[value_type[2][0]]), ("samples", "count"))

    def test_counts_agree(self):
        functions = {f[1][0]: self.text[f[2][0]] for f in map(fields, self.profile[5])}
        names, kinds = {}, {}
        mappings = {m[1][0]: self.text[m[5][0]] for m in map(fields, self.profile[3])}
        for location in map(fields, self.profile[4]):
            self.assertNotIn(location[1][0], names)
            names[location[1][0]] = functions[fields(location[4][0])[1][0]]
            kinds[names[location[1][0]]] = mappings[location[2][0]]
        stacks = {}
        for sample in map(fields, self.profile[2]):
            label = fields(sample[3][0])
            self.assertEqual(self.text[label[1][0]], "comm")
            frames = [names[i] for i in packed(sample[1][0])]
            stacks[(self.text[label[2][0]], *reversed(frames))] = sample[2][0]
        self.assertEqual(stacks, STACKS)
        self.assertEqual((kinds["do;syscall"], kinds["main"]), ("[kernel]", "[user]"))

    def test_coverage_and_ledger_are_comments(self):
        self.assertEqual([self.text[i] for i in self.profile[13]][:2], [HEAD, LOST])
        self.assertEqual((self.profile[9], self.profile[10]), ([1700000000000000000], [10000000000]))


class OpenMetrics(unittest.TestCase):
    LINE = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\d+)')

    def read(self, form):
        text = made(form).decode()
        self.assertTrue(text.endswith("# EOF\n"))
        samples = {}
        for line in text.splitlines():
            if line.startswith("# "):
                continue
            name, labels, value = self.LINE.fullmatch(line).groups()
            pairs = re.findall(r'([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"', labels)
            self.assertEqual(len(pairs), len(dict(pairs)), "a label twice")
            key = (name, tuple(sorted(pairs)))
            self.assertNotIn(key, samples)
            samples[key] = int(value)
        return text, samples

    def buckets(self, samples, name, **labels):
        return [(dict(k)["le"], n) for (m, k), n in samples.items() if m == name + "_bucket" and labels.items() <= dict(k).items()]

    def test_a_slot_becomes_its_upper_edge_in_base_units(self):
        _, samples = self.read("openmetrics")
        disk = r'a\"b\\c\nd' + "\N{REPLACEMENT CHARACTER}"
        self.assertEqual(self.buckets(samples, "trawl_biolatency_seconds", section_disk=disk),
                         [("0.000001", 3), ("0.000003", 3), ("2.097151", 10), ("+Inf", 11)])
        self.assertEqual(self.buckets(samples, "trawl_biolatency_bytes"), [("7168.0", 5), ("+Inf", 5)])
        self.assertEqual(self.buckets(samples, "trawl_biolatency_seconds", printed="msecs"), [("0.007", 5), ("+Inf", 5)])

    def test_hosts_have_a_label_and_nothing_is_counted_twice(self):
        _, samples = self.read("openmetrics-hosts")
        self.assertEqual(self.buckets(samples, "trawl_biolatency_bytes", host="web-1"), [("7168.0", 5), ("+Inf", 5)])
        self.assertFalse([k for k in samples if "_bucket" in k[0] and "host" not in dict(k[1])])

    def test_coverage_and_ledger_are_gauges(self):
        _, samples = self.read("openmetrics")
        self.assertEqual(samples[("trawl_coverage_hosts", (("state", "ok"),))], 2)
        self.assertEqual(samples[("trawl_coverage_hosts", (("state", "offline"),))], 1)
        self.assertEqual(samples[("trawl_lost_events", (("where", "kernel"),))], 12)
        self.assertEqual(samples[("trawl_lost_bytes", (("where", "cap"),))], 4096)

    def test_a_family_stands_together_and_has_its_unit_as_suffix(self):
        for form in ("openmetrics", "openmetrics-hosts"):
            text, _ = self.read(form)
            families = re.findall(r"^# TYPE (\S+)", text, re.M)
            self.assertEqual(len(families), len(set(families)))
            for name, unit in re.findall(r"^# UNIT (\S+) (\S+)", text, re.M):
                self.assertTrue(name.endswith("_" + unit))
            seen = [re.sub("_bucket$", "", line.partition("{")[0]) for line in text.splitlines() if not line.startswith("#")]
            self.assertEqual([n for i, n in enumerate(seen) if i == 0 or seen[i - 1] != n], families)

    @unittest.skipUnless(shutil.which("promtool"), "promtool (Debian: prometheus) is not installed")
    def test_promtool_accepts_it(self):
        for form in ("openmetrics", "openmetrics-hosts"):
            done = subprocess.run(["promtool", "check", "metrics"], input=made(form), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual((done.returncode, done.stdout), (0, b""))


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    for test, why in result.skipped:
        print(f"skipped: {test.id()}: {why}")  # as tests/run lists them
    sys.exit(not result.wasSuccessful())
