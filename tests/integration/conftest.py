# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gate import Gate  # noqa: E402


@pytest.fixture
def gate(request):
    g = Gate()
    try:
        yield g
    finally:
        failed = getattr(request.node, "failed_call", False)
        if failed and os.path.exists(g.log):
            print(open(g.log).read()[-6000:])
        g.close(keep=failed and bool(os.environ.get("FG_KEEP")))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        item.failed_call = True
