#!/usr/bin/env python3
"""Tests of tune.py with a mamba-tune that says what it is told to."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

import gpu
import tune

REPORT = {"model": "A GPU", "problem": "b=1", "schedule": "#ssm.schedule<>",
          "us": 7.123, "default_us": 9, "seconds": 0.51, "exhausted": True,
          "candidates": [{}, {}], "known": False}


class TuneTest(unittest.TestCase):
    def run_with(self, script, *arguments):
        """Exit status, reports, records, and what the tool was told."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            fake = folder / "fake"
            fake.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\n'
                            'for a in "$@"; do case $a in --report=*) '
                            f'report=${{a#--report=}};; esac; done\n{script}\n')
            fake.chmod(0o755)
            sys.argv = ["tune.py", f"--mamba-tune={fake}",
                        f"--reports={folder}/r.json",
                        f"--record={folder}/t.json", "--commit=abc",
                        *arguments]
            with contextlib.redirect_stdout(io.StringIO()), \
                    self.assertRaises(SystemExit) as end:
                tune.main()

            def told(name):
                path = folder / name
                return json.loads(path.read_text()) if path.exists() else []

            return (end.exception.code, told("r.json"), told("t.json"),
                    (folder / "calls").read_text().splitlines())

    def test_every_problem_is_reported_and_recorded(self):
        status, reports, records, calls = self.run_with(
            f"echo '{json.dumps(REPORT)}' >$report", "--suite=saved",
            "--order=bld", f"--most-elements={1 << 62}")
        self.assertFalse(status)
        self.assertEqual(len(reports), len(gpu.OFFICIAL))
        self.assertEqual(records[0]["kernel"], "s6-backward-saved")
        self.assertEqual((records[0]["us"], records[0]["tried"]), (7.12, 2))
        self.assertIn("--grad --save=all", calls[0])
        self.assertIn("--layout=bld", calls[0])

    def test_a_search_may_leave_out_the_table(self):
        _, _, records, calls = self.run_with(
            f"echo '{json.dumps(REPORT)}' >$report", "--from-model",
            f"--most-elements={1 << 22}")
        self.assertTrue(records[0]["from_model"])
        self.assertIn("--from-model", calls[0])

    def test_large_problems_are_left_out(self):
        _, reports, _, _ = self.run_with(
            f"echo '{json.dumps(REPORT)}' >$report",
            f"--most-elements={1 << 22}")
        self.assertEqual(len(reports), 1)

    def test_a_failure_fails_and_the_rest_goes_on(self):
        status, reports, _, calls = self.run_with("exit 1")
        self.assertTrue(status)
        self.assertEqual(reports, [])
        self.assertGreater(len(calls), 5)


if __name__ == "__main__":
    unittest.main()
