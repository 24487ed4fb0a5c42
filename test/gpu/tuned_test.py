#!/usr/bin/env python3
"""Tests of tuned.py with a suite that says what it is told to."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import tuned

TABLE = '''
{"sm_90", 132, "b=1",
 "#ssm.schedule<lanes = 2, items = 16>"}, // 1.00 us
{"sm_90", 132, "b=2",
 "#ssm.schedule<items = 1, warps_l = 4, relay = 1>"}, // 2.00 us
{"sm_90", 132, "b=3",
 "#ssm.schedule<lanes = 2, items = 16>"}, // 3.00 us
'''


class TunedTest(unittest.TestCase):
    def run_with(self, script, *arguments):
        """Exit status, records and arguments of each run of the suite."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "test").mkdir()
            fake = folder / "test" / "e2e-numerics"
            fake.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\n{script}\n')
            fake.chmod(0o755)
            record = folder / "record.json"
            with contextlib.redirect_stdout(io.StringIO()):
                status = tuned.main([str(folder), str(record), *arguments])
            return (status, json.loads(record.read_text()),
                    (folder / "calls").read_text().splitlines())

    def test_each_schedule_once(self):
        self.assertEqual(tuned.schedules(TABLE),
                         ["lanes=2 items=16", "items=1 warps_l=4 relay=1"])

    def test_table_of_the_project(self):
        self.assertTrue(tuned.schedules(tuned.TABLE.read_text()))

    def test_passes(self):
        status, records, calls = self.run_with(
            "echo 'cuda:0: 7 passed, 0 failed, 2 refused in 1 s'", "--only=0,2",
            "--quick")
        self.assertEqual(status, 0)
        self.assertEqual([r["passed"] for r in records], [7, 7])
        self.assertEqual(len(calls), 2)
        self.assertIn("--schedule=", calls[0])
        self.assertIn("--quick", calls[0])

    def test_fails(self):
        for script in ("echo 'cuda:0: 7 passed, 1 failed, 0 refused in 1 s'; exit 1",
                       "echo 'cuda:0: 0 passed, 0 failed, 9 refused in 1 s'",
                       "exit 1"):
            status, _, _ = self.run_with(script, "--only=0")
            self.assertEqual(status, 1)

    def test_unknown_number(self):
        with self.assertRaises(SystemExit), \
                contextlib.redirect_stderr(io.StringIO()):
            tuned.main(["folder", "record", "--only=999"])


if __name__ == "__main__":
    unittest.main()
