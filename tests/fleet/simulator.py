# SPDX-License-Identifier: Apache-2.0
"""fleet.c as an object: what its modules are to do, and what they got."""
import os
import subprocess

PROGRAM = os.path.join(os.environ.get("FG_BIN", ""), "../test/fleet")


class Simulator:
    def __init__(self, folder, port, modules, interval, seed=1):
        self.dir, self.calls = folder, 0
        path = self.file("".join(f"{m.behaviour} {m.version} {m.query()}\n" for m in modules))
        self.process = subprocess.Popen([PROGRAM, "127.0.0.1", str(port), path, str(int(interval * 1000)), str(seed)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def file(self, data):
        self.calls += 1
        path = os.path.join(self.dir, f"fleet-{self.calls}")
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path

    def tell(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        assert said, f"the simulator ended with {self.process.wait()}: its last words are above"
        return said

    def target(self, version, data):
        self.tell("target", version, self.file(data))

    def behave(self, modules):
        self.tell("behave", self.file("".join(f"{m.number} {m.behaviour}\n" for m in modules)))

    def stats(self):
        return {k: int(v) for k, v in (word.split("=") for word in self.tell("stats").split())}

    def got(self):
        """By number and version of the target."""
        path, found = self.file(b""), {}
        self.tell("dump", path)
        with open(path) as f:
            for line in f:
                w = line.split()
                found[int(w[0]), w[1]] = dict(zip(
                    ("now", "asked", "served", "refused", "broken", "bytes", "first", "last", "done"), [w[2], *map(int, w[3:])]))
        return found

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
