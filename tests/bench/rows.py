# SPDX-License-Identifier: Apache-2.0
"""Rows of figures for tests/bench/run, and what the Python benches share; see bench.h."""
import os
import statistics
import sys

SRC = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.environ.get("FG_BIN", "")
RUNS = max(3, int(os.environ.get("FG_BENCH_RUNS", "5")))
sys.path.insert(0, os.path.join(SRC, "tests/integration"))

median = statistics.median


def figure(bench, what, text):
    print(bench, what, text, "-", "-", sep="\t", flush=True)


def goal(bench, what, text, wanted, met):
    print(bench, what, text, wanted, "met" if met else "not met", sep="\t", flush=True)


def fail(why):
    """A bench that could not be measured says why and ends with 3."""
    print("bench:", why, file=sys.stderr)
    sys.exit(3)
