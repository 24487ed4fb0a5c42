#!/usr/bin/env python3
"""Tests of run.py: what it must not take for a success."""

import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

RUN = pathlib.Path(__file__).resolve().parent / "run.py"
STATISTICS = "echo '#2 DONE cov: 7 ft: 9'; echo 'stat::number_of_executed_units: {}'"


class RunTest(unittest.TestCase):
    def run_fuzzers(self, scripts, *names):
        """(exit status, output) of run.py on shell scripts as fuzzers."""
        with tempfile.TemporaryDirectory() as folder:
            for name, script in scripts.items():
                path = pathlib.Path(folder) / f"fuzz-{name}"
                path.write_text(f"#!/bin/sh\n{script}\n")
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
            done = subprocess.run(
                [sys.executable, RUN, "--bin", folder, "--output",
                 f"{folder}/output", *names],
                capture_output=True, text=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def test_executions_and_coverage_are_printed(self):
        code, text = self.run_fuzzers({"npy": STATISTICS.format(1234)})
        self.assertEqual(code, 0)
        self.assertRegex(text, r"npy +1,234 +7")
        self.assertIn("fuzz: 1 passed, 0 failed", text)

    def test_nothing_executed_is_a_failure(self):
        for script in [STATISTICS.format(0), "true"]:
            code, text = self.run_fuzzers({"npy": script})
            self.assertEqual(code, 1)
            self.assertIn("it ran nothing", text)

    def test_a_crash_is_a_failure(self):
        code, text = self.run_fuzzers(
            {"npy": STATISTICS.format(5) + "; echo reason; exit 77"})
        self.assertEqual(code, 1)
        self.assertIn("reason", text)

    def test_short_runs_end(self):
        # libFuzzer takes 0 seconds for no limit.
        script = ("for a; do case $a in -max_total_time=0) exit 1;; esac; done\n"
                  + STATISTICS.format(1))
        self.assertEqual(
            self.run_fuzzers({"npy": script}, "--minutes=0.001")[0], 0)

    def test_only_the_named_run(self):
        scripts = {"npy": "exit 1", "audio": STATISTICS.format(5)}
        self.assertEqual(self.run_fuzzers(scripts, "audio")[0], 0)
        code, text = self.run_fuzzers(scripts, "wav")
        self.assertEqual(code, 1)
        self.assertIn("has no fuzzer wav, it has audio, npy", text)

    def test_no_fuzzers_is_a_failure(self):
        self.assertNotEqual(self.run_fuzzers({})[0], 0)

    def test_modules_are_inputs_and_words_are_a_dictionary(self):
        # The fuzzer is given them: a dictionary, then the corpus.
        script = ("for a; do case $a in -dict=*) dict=${a#-dict=};; "
                  "*/corpus-text) corpus=$a;; esac; done\n"
                  "grep -q '\"ssm.scan\"' $dict && "
                  "grep -rqs 'ssm.scan' $corpus && " + STATISTICS.format(1))
        self.assertEqual(self.run_fuzzers({"text": script})[0], 0)


if __name__ == "__main__":
    unittest.main()
