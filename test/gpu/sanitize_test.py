#!/usr/bin/env python3
"""Tests of sanitize.py with a sanitizer that says what it is told to."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import sanitize

CLEAN = ("cuda:0: 3 passed, 0 failed, 1 refused in 2 s\\n"
         "========= ERROR SUMMARY: 0 errors\\n")
EMPTY = ("error: no case passed\\ncuda:0: 0 passed, 0 failed, 0 refused in 2 s\\n"
         "========= ERROR SUMMARY: 0 errors\\n")
HAZARD = ("cuda:0: 3 passed, 0 failed, 0 refused in 2 s\\n"
          "========= RACECHECK SUMMARY: 2 hazards displayed\\n")


class SanitizeTest(unittest.TestCase):
    def run_with(self, script, *arguments):
        """Exit status, record and arguments of each run of the sanitizer."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            fake = folder / "fake"
            fake.write_text(f'#!/bin/sh\necho "$@" gpu=$CUDA_VISIBLE_DEVICES '
                            f'>>{folder}/calls\n{script}\n')
            fake.chmod(0o755)
            record = folder / "record.json"
            with contextlib.redirect_stdout(io.StringIO()):
                status = sanitize.main([str(folder), str(record),
                                        f"--sanitizer={fake}", *arguments])
            return (status, json.loads(record.read_text()),
                    (folder / "calls").read_text().splitlines())

    def test_shards_add_up(self):
        status, record, calls = self.run_with(
            f"printf '{CLEAN}'", "--tools=memcheck", "--jobs=3")
        self.assertEqual(status, 0)
        self.assertEqual(record["memcheck"]["passed"], 9)
        self.assertTrue(record["memcheck"]["clean"])
        self.assertEqual(sorted(c.split("--shard=")[1][0] for c in calls),
                         ["0", "1", "2"])
        self.assertFalse(any("--filter" in call or "--quick" in call
                             for call in calls))

    def test_some_shards(self):
        _, record, calls = self.run_with(
            f"printf '{CLEAN}'", "--tools=racecheck", "--jobs=8", "--only=2,5",
            "--quick", "--filter=lanes=2")
        self.assertEqual(record["racecheck"]["shards"], "2 of 8")
        self.assertEqual(len(calls), 2)
        self.assertTrue(all("--quick" in call and "--filter=lanes=2" in call
                            for call in calls))

    def test_gpus_share_the_shards(self):
        _, _, calls = self.run_with(f"printf '{CLEAN}'", "--tools=memcheck",
                                    "--jobs=1", "--shards=5", "--gpus=2")
        self.assertEqual([call.split("gpu=")[1] for call in calls],
                         ["0", "1", "0", "1", "0"])

    def test_a_shard_may_be_left_nothing(self):
        empty_first = (f"case $* in *--shard=0*) printf '{EMPTY}'; exit 9;; "
                       f"*) printf '{CLEAN}';; esac")
        status, record, _ = self.run_with(empty_first, "--tools=memcheck",
                                          "--jobs=3")
        self.assertEqual((status, record["memcheck"]["passed"]), (0, 6))
        status, _, _ = self.run_with(empty_first, "--tools=memcheck",
                                     "--jobs=3", "--only=0")
        self.assertEqual(status, 1)

    def test_hazards_fail(self):
        status, record, _ = self.run_with(
            f"printf '{HAZARD}'; exit 9", "--tools=racecheck", "--jobs=2")
        self.assertEqual(status, 1)
        self.assertEqual(record["racecheck"]["reports"], 2)

    def test_nothing_run_fails(self):
        status, _, _ = self.run_with("exit 255", "--tools=memcheck", "--jobs=2")
        self.assertEqual(status, 1)

    def test_shards_that_do_not_end_fail(self):
        status, record, _ = self.run_with(
            "exec sleep 20", "--tools=memcheck", "--jobs=2", "--timeout=0.2")
        self.assertEqual(status, 1)
        self.assertEqual(record["memcheck"]["unfinished"], 2)


if __name__ == "__main__":
    unittest.main()
