# SPDX-License-Identifier: Apache-2.0
"""What holding an update costs, as the gate itself says it."""
import os
import re
import sqlite3

from gate import luhn, until


def imei(n):
    return luhn(f"{35693800000000 + n:014d}")


def test_who_runs_what_is_held(gate):
    gate.offer()
    rows = ["kind,identity,group,product,version"]
    rows += [f"imei,{imei(100 + n)},,FG100,{v}" for n, v in enumerate(["1.0.0"] * 5 + ["1.1.0"] * 2 + [""])]
    rows += [f"imei,{imei(200)},,OTHER,1.0.0"]
    path = os.path.join(gate.dir, "fleet.csv")
    with open(path, "w") as f:
        f.write("\n".join(rows) + "\n")
    gate.start()
    assert gate.cli("exposure")["held"] == []
    assert "No update is held." in gate.text("exposure")
    gate.cli("module", "import", path, "--profile", "story")
    gate.ask(imei=imei(100))
    gate.review(1)
    seen = gate.cli("exposure")
    assert [(h["id"], h["modules"], h["product_modules"], h["days"], h["target"]) for h in seen["held"]] == \
        [("R-1", 6, 8, 0, "1.1.0")]  # five of 1.0.0 and the one that nobody knows
    assert {(v["product"], v["version"]): v["modules"] for v in seen["versions"]} == \
        {("FG100", "1.0.0"): 5, ("FG100", "1.1.0"): 2, ("FG100", ""): 1, ("OTHER", "1.0.0"): 1}
    assert [v["modules"] for v in seen["versions"]][0] == 5 and seen["other_modules"] == 0
    assert "R-1" in gate.text("exposure") and not any(a["id"] == "REVIEW-DUE" for a in gate.cli("status")["alerts"])
    gate.stop()
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        db.execute("UPDATE candidate SET updated = updated - 20 * 86400, created = created - 21 * 86400")
    gate.start()
    due = until(lambda: [a["text"] for a in gate.cli("status")["alerts"] if a["id"] == "REVIEW-DUE"])
    assert re.fullmatch("R-1 has waited for 21 days and is held for good in (9|10) days; 1 review is past half of the time they have",
                        due[0]) and len(due) == 1
    assert gate.cli("exposure")["held"][0]["days"] == 21
    gate.approve()
    until(lambda: gate.cli("exposure")["held"] == [])
