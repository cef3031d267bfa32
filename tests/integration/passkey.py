# SPDX-License-Identifier: Apache-2.0
"""A browser's authenticator in software: makes a P-256 key, and signs in or approves with it (WebAuthn level 2)."""
import base64
import hashlib
import json
import os
import struct
import subprocess

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(b):
    return base64.b64encode(b).decode()


def b64url(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


class Passkey:
    def __init__(self, folder, name, origin, flags=UP | UV):
        self.key, self.origin, self.flags, self.counter = os.path.join(folder, name + ".pem"), origin, flags, 0
        self.rp = origin.split("//")[1].split(":")[0]
        self.id, self.handle = os.urandom(24), ""
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key], check=True)
        spki = subprocess.run(["openssl", "ec", "-in", self.key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        self.point = spki[-65:]

    def client(self, kind, challenge):
        return json.dumps({"type": "webauthn." + kind, "challenge": b64url(challenge), "origin": self.origin, "crossOrigin": False},
                          separators=(",", ":")).encode()

    def head(self, more=0):
        return hashlib.sha256(self.rp.encode()).digest() + bytes([self.flags | more]) + struct.pack(">I", self.counter)

    def make(self, doc):
        """Of passkey.challenge, what passkey.add takes but for the name and a code."""
        self.handle = doc["handle"]
        x, y = self.point[1:33], self.point[33:]
        cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y
        auth = self.head(AT) + bytes(16) + struct.pack(">H", len(self.id)) + self.id + cose
        obj = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(auth)]) + auth
        return {"challenge": doc["challenge"], "client_data": b64(self.client("create", bytes.fromhex(doc["challenge"]))), "object": b64(obj)}

    def sign(self, challenge):
        """Authenticator data, client data, signature (DER)."""
        self.counter += 1
        auth, client = self.head(), self.client("get", challenge)
        return auth, client, subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], check=True, capture_output=True,
                                            input=auth + hashlib.sha256(client).digest()).stdout

    def show(self, doc, handle=True):
        """Of session.challenge or passkey.challenge, what session.passkey or passkey.fresh takes."""
        auth, client, signature = self.sign(bytes.fromhex(doc["challenge"]))
        said = {"challenge": doc["challenge"], "authenticator_data": b64(auth), "client_data": b64(client), "credential": b64(self.id),
                "signature": b64(signature)}
        return {**said, "handle": self.handle} if handle else said
