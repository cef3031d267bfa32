#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of the console's pages: nothing that makes markup of text, nothing from elsewhere, small."""
import os
import re
import sys

SRC = os.environ.get("FG_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
WEB = os.path.join(SRC, "gateway/console/web")
BYTES_MAX = 330_000  # all of it, 110 kB compressed, a third of what there is for it: pages over a slow line to a substation
TYPES = (".html", ".css", ".js", ".svg")
COLUMNS_MAX = 132
# What turns text into markup or code, or a page into somebody else's.
NEVER = [
    (r"\b(inner|outer)HTML\b|insertAdjacentHTML|createContextualFragment|DOMParser|document\.write|srcdoc|setHTML", "makes markup of text"),
    (r"\beval\b|new Function\b|set(?:Timeout|Interval)\(\s*[\"'`]", "makes code of text"),
    (r"javascript:", "a link that is code"),
    (r"https?://(?!www\.w3\.org/)", "an address elsewhere"),
    (r"\bstyle\s*[:=]|setAttribute\(\s*[\"']style|cssText", "inline style, which the content security policy forbids"),
    (r"document\.cookie|postMessage|window\.open\b|importScripts|XMLHttpRequest|WebSocket", "has no business here"),
    (r"\b(TODO|FIXME|XXX|HACK)\b", "a mark of unfinished work"),
]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+\s*=|\sstyle\s*=", re.I)
# The one place where nodes are made; others ask it.
MAKES = re.compile(r"createElement|setAttribute\(|createTextNode")
MAY_MAKE = {"dom.js": MAKES, **{name: re.compile(r"setAttribute\(\"aria-busy\"") for name in ("app.js", "page.js")}}


def check():
    problems, total = [], 0
    for name in sorted(os.listdir(WEB)):
        path = os.path.join(WEB, name)
        if not name.endswith(TYPES) or not os.path.isfile(path):
            problems.append(f"{name}: only {', '.join(TYPES)}, in one folder")
            continue
        with open(path, encoding="utf-8") as f:
            text = f.read()
        total += os.path.getsize(path)
        if "SPDX-License-Identifier: Apache-2.0" not in text[:200]:
            problems.append(f"{name}: no SPDX line at the top")
        if name.endswith(".html") and INLINE.search(text):
            problems.append(f"{name}: inline script or style, which the content security policy forbids")
        for number, line in enumerate(text.splitlines(), 1):
            where = f"gateway/console/web/{name}:{number}"
            for pattern, what in NEVER:
                if name.endswith(".js") and re.search(pattern, line):
                    problems.append(f"{where}: {what}")
            if name.endswith(".css") and re.search(r"url\(|@import", line):
                problems.append(f"{where}: a style sheet that loads something")
            if name.endswith(".js") and MAKES.search(line) and not MAY_MAKE.get(name, re.compile(r"(?!)")).search(line):
                problems.append(f"{where}: nodes are made by dom.js only")
            if len(line.expandtabs(4)) > COLUMNS_MAX:
                problems.append(f"{where}: line over {COLUMNS_MAX} columns")
            if not line.isascii():
                problems.append(f"{where}: a character that is not ASCII; write it as an escape")
    if total > BYTES_MAX:
        problems.append(f"{total} bytes in all, over {BYTES_MAX}")
    for p in problems:
        print(p)
    print(f"{total} bytes, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(check())
