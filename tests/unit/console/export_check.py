#!/usr/bin/env python3
"""export_check.py EXPORT_MADE: reads each exported form back with a reader of its own and compares it with export_made.c."""
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

MADE = sys.argv.pop(1)
TOTAL = 999001
HEAD = "profile · 2 of 3 hosts · 1 offline · 10 s · campaign 123456789012"
LOST = "lost: 12 events lost in the kernel's buffers · 4096 bytes of print-out over the cap"
HOSTILE = "<&>\"'\\x01\\x85\N{REPLACEMENT CHARACTER}]]>"


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


if __name__ == "__main__":
    unittest.main()
