#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up ctest's result files and ends with the one line that says how it went."""
import re
import sys
import xml.etree.ElementTree as ET

passed = failed = skipped = 0
faults = {}
for name in sys.argv[1:]:
    for case in ET.parse(name).getroot().iter("testcase"):
        status = case.get("status")
        said = re.search(r"(?m)^fault: (\S+): (\d+) cases", case.findtext("system-out") or "")
        if said:
            faults[said.group(1)] = int(said.group(2))
        if status == "run":
            passed += 1
        elif status == "notrun" or case.find("skipped") is not None:
            skipped += 1
            print("skipped:", case.get("name"))
        else:
            failed += 1
            print("failed:", case.get("name"))
if faults:
    parts = ", ".join(f"{name} {n}" for name, n in sorted(faults.items()))
    print(f"fault campaign: {sum(faults.values())} cases ({parts})")
if passed + failed == 0:
    sys.exit("no test was run")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
