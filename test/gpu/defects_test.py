#!/usr/bin/env python3
"""Tests of how defects.py reads compute-sanitizer, which CI does not have."""

import unittest

import defects

BANNER = "========= COMPUTE-SANITIZER\n"
SILENT = BANNER + "========= ERROR SUMMARY: 0 errors\n"
BOUNDS = BANNER + """\
========= Invalid __global__ write of size 4 bytes
=========     at kernel+0xb0
=========     by thread (31,0,0) in block (0,0,0)
=========     Address 0x7f1ce00a0c7c is out of bounds
error: launching 'kernel' failed
========= ERROR SUMMARY: 1 error
"""
MISALIGNED = BOUNDS.replace("is out of bounds", "is misaligned")
RACE = BANNER + """\
========= Warning: Race reported between Write access at kernel+0x90
=========     and Read access at kernel+0xb0 [248 hazards]
=========
========= RACECHECK SUMMARY: 1 hazard displayed (0 errors, 1 warning)
"""
NO_RACE = BANNER + ("========= RACECHECK SUMMARY: 0 hazards displayed "
                    "(0 errors, 0 warnings)\n")
BARRIER = BANNER + """\
========= Barrier error detected. Divergent thread(s) in block.
=========     at kernel+0x150
=========     by thread (32,0,0) in block (0,0,0)
"""


class ClassifyTest(unittest.TestCase):
    def kinds(self, status, output):
        return defects.classify(status, output)[0]

    def test_silence(self):
        self.assertEqual(self.kinds(0, SILENT), [])
        self.assertEqual(self.kinds(0, NO_RACE), [])

    def test_kinds(self):
        self.assertEqual(self.kinds(1, BOUNDS), ["out of bounds"])
        self.assertEqual(self.kinds(1, MISALIGNED), ["misaligned"])
        self.assertEqual(self.kinds(0, RACE), ["race"])

    def test_report_begins_with_the_access(self):
        report = defects.classify(1, BOUNDS)[1]
        self.assertTrue(report.startswith("Invalid __global__ write"), report)
        self.assertIn("is out of bounds", report)

    def test_a_report_before_a_hang_counts(self):
        self.assertEqual(self.kinds(None, BARRIER), ["divergent barrier"])

    def test_no_end_is_no_silence(self):
        self.assertEqual(self.kinds(None, BANNER), ["hang"])
        self.assertEqual(self.kinds(1, "Device not supported\n"), ["failed"])
        self.assertEqual(self.kinds(1, SILENT), ["failed"])

    def test_unknown_errors_are_no_silence(self):
        text = BANNER + "========= Something\n========= ERROR SUMMARY: 1 error\n"
        self.assertEqual(defects.classify(0, text), (["unknown"], "Something"))


class CompareTest(unittest.TestCase):
    def verdict(self, tool, simt, kinds):
        kernel = defects.Kernel("k", tool, "what")
        return defects.compare(kernel, simt, {"memcheck": (kinds, "")})

    def test_both_name_one_kind(self):
        self.assertEqual(self.verdict("memcheck", "race", ["race"]), "agree")
        self.assertEqual(self.verdict("memcheck", "race", ["misaligned"]),
                         "DISAGREE")
        self.assertEqual(self.verdict("memcheck", "race", []), "DISAGREE")
        self.assertEqual(self.verdict("memcheck", "", []), "DISAGREE")

    def test_without_a_defect_both_are_silent(self):
        self.assertEqual(self.verdict("all", "", []), "agree")
        self.assertEqual(self.verdict("all", "race", []), "DISAGREE")
        self.assertEqual(self.verdict("all", "", ["failed"]), "DISAGREE")

    def test_nothing_is_required_of_tools_that_are_not_there(self):
        self.assertEqual(self.verdict("none", "race", []), "-")
        self.assertEqual(self.verdict("initcheck-shared", "race", []), "-")


if __name__ == "__main__":
    unittest.main()
