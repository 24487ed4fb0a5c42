#!/usr/bin/env python3
"""Tests of suite.py's counting: a wrong summary would hide failures."""

import pathlib
import tempfile
import unittest

import suite

CTEST = """<testsuite>
<testcase name="lit" status="{lit}"/>
<testcase name="unit-io" status="{unit}"/>
<testcase name="e2e-cuda" status="notrun"/>
</testsuite>"""
LIT = """{"tests": [{"name": "a.mlir", "code": "PASS"},
{"name": "b.mlir", "code": "%s"}, {"name": "c.mlir", "code": "UNSUPPORTED"}]}"""
GTEST = """<testsuites><testsuite>
<testcase classname="Npy" name="Reads" status="run"/>
<testcase classname="Npy" name="Fails" status="run">%s</testcase>
<testcase classname="Npy" name="Skips" status="run"><skipped/></testcase>
</testsuite></testsuites>"""


class CountTest(unittest.TestCase):
    def count(self, lit="run", unit="run", lit_json=None, gtest_xml=None):
        """The tally of a build folder with these result files."""
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder)
            (build / "test").mkdir()
            (build / "ctest.xml").write_text(CTEST.format(lit=lit, unit=unit))
            if lit_json:
                (build / "test" / "lit.json").write_text(lit_json)
            if gtest_xml:
                (build / "test" / "unit-io.xml").write_text(gtest_xml)
            tally = suite.Tally()
            suite.count_ctest(build, tally)
            return tally.passed, len(tally.failures), len(tally.skipped)

    def test_single_tests_are_counted(self):
        self.assertEqual(self.count(lit_json=LIT % "XFAIL",
                                    gtest_xml=GTEST % ""), (4, 0, 3))

    def test_failures_are_counted_once(self):
        self.assertEqual(
            self.count(lit="fail", unit="fail", lit_json=LIT % "FAIL",
                       gtest_xml=GTEST % "<failure/>"), (2, 2, 3))

    def test_without_details_the_process_counts(self):
        self.assertEqual(self.count(), (2, 0, 1))
        self.assertEqual(self.count(unit="fail"), (1, 1, 1))

    def test_cut_off_details_count_as_the_process(self):
        self.assertEqual(self.count(unit="fail", gtest_xml="<testsuites>"),
                         (1, 1, 1))

    def test_death_after_the_last_case_is_a_failure(self):
        self.assertEqual(self.count(unit="fail", gtest_xml=GTEST % ""),
                         (3, 1, 2))


if __name__ == "__main__":
    unittest.main()
