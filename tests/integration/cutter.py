# SPDX-License-Identifier: Apache-2.0
"""A link between a module and the gateway that breaks where it is told to."""
import contextlib
import select
import socket
import struct
import threading

PIECE = 16384  # small against every place where a link is cut


class Cutter:
    """
    Passes connections on to a port of 127.0.0.1. cuts: one number for each cut, the
    bytes that go down one connection before it breaks there, whatever that is
    the middle of. Every other cut is a reset, as of a router that was restarted, the
    rest an end that looks like a good one. With no cuts left it is a plain link.
    asked: what clients said, of every connection, for links that are not encrypted.
    """

    def __init__(self, port, *cuts):
        self.to, self.cuts, self.done, self.asked = port, list(cuts), 0, b""
        self.lock = threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.shutdown(socket.SHUT_RDWR)  # closing alone would leave accept() where it is
        self.server.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._link, args=(self.server.accept()[0],), daemon=True).start()

    def _link(self, module):
        passed = 0
        with contextlib.suppress(OSError), module, socket.create_connection(("127.0.0.1", self.to)) as gate:
            talking = [module, gate]
            while gate in talking:
                for s in select.select(talking, [], [])[0]:
                    data = s.recv(PIECE)
                    other = gate if s is module else module
                    if not data:
                        talking.remove(s)
                        other.shutdown(socket.SHUT_WR)
                        continue
                    other.sendall(data)
                    if s is module:
                        with self.lock:
                            self.asked += data
                        continue
                    passed += len(data)
                    if self._cuts_here(passed, module):
                        return

    def _cuts_here(self, passed, module):
        with self.lock:
            if not self.cuts or passed < self.cuts[0]:
                return False
            self.cuts.pop(0)
            self.done += 1
            if self.done % 2:
                module.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return True
