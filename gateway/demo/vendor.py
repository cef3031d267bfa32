#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo vendor: serves a folder on the loopback interface and keeps what it was asked.

vendor.py DIR [--port N] [--capture FILE] prints the port it listens on and then
one line per request. The capture holds every request byte for byte as it came,
so that anyone can look for what a gateway gives away about its modules.
"""
import argparse
import http.server
import os
import sys
import threading


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    capture = None
    lock = threading.Lock()

    def parse_request(self):
        ok = super().parse_request()
        if ok and self.capture:
            head = self.raw_requestline + bytes(str(self.headers), "latin-1")
            with self.lock, open(self.capture, "ab") as out:
                out.write(head)
        return ok

    def log_message(self, form, *args):
        print(form % args, flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("dir")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--capture")
    chosen = options.parse_args()
    Handler.capture = chosen.capture
    os.chdir(chosen.dir)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", chosen.port), Handler)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
