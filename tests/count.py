#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up ctest's result files and ends with the one line that says how it went."""
import sys
import xml.etree.ElementTree as ET

passed = failed = skipped = 0
for name in sys.argv[1:]:
    for case in ET.parse(name).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status == "notrun" or case.find("skipped") is not None:
            skipped += 1
            print("skipped:", case.get("name"))
        else:
            failed += 1
            print("failed:", case.get("name"))
if passed + failed == 0:
    sys.exit("no test was run")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
