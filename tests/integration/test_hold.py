# SPDX-License-Identifier: Apache-2.0
"""What each kind of client is told while nothing is approved for it: its own request, and every byte of the answer.

The not_now lines are those of fotagate.conf(5), so that what the manual recommends is what is tested.
"""
import os
import re
import socket

import pytest

from gate import Gate, SRC

PROFILE = """
profile = {
	name = "%(name)s";
	supplier = "demo-vendor";
	listeners = [ "modules", "modules-tls" ];
	any_host = true;
	path = "%(path)s";
	%(captures)s
	product = "fixed:%(name)s";
	identity = ( { class = "B"; kind = "token"; from = "header:authorization"; } );
	%(not_now)s
	signature = { scheme = "cms-detached"; anchors = [ "vendor-ca.pem" ]; };
	quorum = 2;
};
"""
WORD = "captures = { id = { class = \"word\"; max = 64; }; };"
JSON = b"Content-Type: application/json\r\n"


def answer(status, body=b"", kind=b"", bare=False):
    """The whole answer, with the date taken out."""
    length = b"" if bare else b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + length + b"Connection: keep-alive\r\n" + kind + b"Date: \r\n\r\n" + body


def request(line, *fields, body=b""):
    return "\r\n".join((line,) + fields + ("", "")).encode() + body


def chunked(body):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


GO = ("Host: localhost:8443", "User-Agent: Go-http-client/1.1", "Transfer-Encoding: chunked", "Authorization: Bearer t0ken",
      "Content-Type: application/json", "Accept-Encoding: gzip")
# name: entry of the manual, path of the profile, request, answer
CLIENTS = {
    "swupdate": (
        "hawkBit", "/default/controller/v1/{id}", request(
            "GET /default/controller/v1/mod-0001 HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: libcurl-agent/1.0",
            "Content-Type: application/json", "Accept: application/json", "charsets: utf-8", "charsets: utf-8",
            "Authorization: TargetToken TARGETTOKEN123"),
        answer(b"200 OK", b'{"config":{"polling":{"sleep":"00:05:00"}}}', JSON)),
    "mender": (
        "Mender", "/api/devices/v2/deployments/device/deployments/next", request(
            "POST /api/devices/v2/deployments/device/deployments/next HTTP/1.1", *GO, body=chunked(
                b'{"device_provides":{"artifact_name":"rel-1","device_type":"testdev"},"update_control_map":true}')),
        answer(b"204 No Content", bare=True)),
    "aws": (
        "AWS IoT Jobs", "/things/{id}/jobs/$next", request("GET /things/mod-0001/jobs/$next HTTP/1.1", "Host: ep.example"),
        answer(b"200 OK", b'{"execution":{}}', JSON)),
    "abup": (
        "ABUP, ADUPS", "/product/1514/{id}/ota/checkVersion", request(
            "POST /product/1514/dev42/ota/checkVersion HTTP/1.1", "Host: iotapi.adups.com", "Content-Type: application/json",
            "Content-Length: 44", body=b'{"mid":"490154203237518","version":"1.0.00"}'),
        answer(b"200 OK", b'{"status":2101,"msg":"","data":null}', JSON)),
    "redstone": (
        "RedStone", "/service/request", request(
            "POST /service/request HTTP/1.1", "Host: fota.redstone.net.cn:7100", "Content-Length: 58",
            body=b'{"version":"A1.0","session":"FUMO-REQ","devid":"SN:12345"}'),
        answer(b"200 OK", b'{"code":"1500","msg":"Not found package"}', JSON)),
    "luatos": (
        "LuatOS, AirM2M", "/api/site/firmware_upgrade", request(
            "GET /api/site/firmware_upgrade?imei=490154203237518&project_key=k&firmware_name=f&version=1.0.0 HTTP/1.1",
            "Host: iot.openluat.com"),
        answer(b"404 Not Found", b'{"code":27}', JSON)),
    "xinyi": (
        "XinYi, MeiG", "/x/{id}", b"GET /x/k3jd92hx HTTP/1.1\nHost: 10.0.0.1:8080\nRange: bytes=0-1023\n\n\n", b""),
    "nrfcloud": (
        "nRF Cloud REST, Quectel and other plain downloads", "/v1/fota-job-executions/{id}/current", request(
            "GET /v1/fota-job-executions/nrf-490154203237518/current HTTP/1.1", "Host: api.nrfcloud.com",
            "Authorization: Bearer j.w.t"),
        answer(b"404 Not Found")),
    # Who says nothing in a profile gets the same.
    "opencpu": (
        None, "/f/{id}", request(
            "GET /f/k3jd92hx HTTP/1.1", "Host: 10.1.2.3:8080", "User-Agent: QUECTEL_MODULE", "Accept: */*",
            "Connection: Keep-Alive"),
        answer(b"404 Not Found")),
    "rauc": (
        None, "/r/{id}", request(
            "GET /r/v HTTP/1.1", "Host: 127.0.0.1:8090", "User-Agent: rauc/1.8", "Accept: */*", "Range: bytes=0-3"),
        answer(b"404 Not Found")),
}


def manual():
    """The entries of NOTHING FOR YOU YET: name -> not_now line."""
    page = open(os.path.join(SRC, "gateway/man/fotagate.conf.5"), encoding="ascii").read()
    section = page.split(".Sh NOTHING FOR YOU YET", 1)[1].split("\n.Sh ", 1)[0]
    found = re.findall(r"^\.It ([^\n]*)\n(?:(?!\.It )[^\n]*\n)*?\.Bd -literal\n(.*?)\.Ed\n", section, re.S | re.M)
    return {name.split(":")[0]: line.replace("\\e", "\\") for name, line in found}


@pytest.fixture(scope="module")
def held():
    gate = Gate(edges=1)
    entries = manual()
    for name, (entry, path, _, _) in CLIENTS.items():
        text = PROFILE % {"name": name, "path": path, "captures": WORD if "{id}" in path else "",
                          "not_now": entries[entry] if entry else ""}
        with open(os.path.join(gate.root, "profiles.d", f"{name}.conf"), "w") as f:
            f.write(text)
    gate.start()
    yield gate
    gate.close()


def send(gate, data, expected):
    """Everything that comes back until the connection ends, or as much as was expected and 0.1 s of silence."""
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as s:
        s.sendall(data)
        seen = b""
        while len(re.sub(rb"Date: [^\r]*", b"Date: ", seen)) < len(expected) or not expected:
            more = s.recv(65536)
            if not more:
                break
            seen += more
        if expected:
            # One answer and no more: the next request on the connection gets the next one.
            s.sendall(b"DELETE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            rest = b""
            while more := s.recv(65536):
                rest += more
            assert rest.startswith(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n"), rest
    return re.sub(rb"Date: [^\r]*", b"Date: ", seen)


def test_the_manual_has_an_answer_for_each(held):
    assert set(manual()) == {entry for entry, _, _, _ in CLIENTS.values() if entry}


@pytest.mark.parametrize("name", CLIENTS)
def test_held(held, name):
    _, _, data, expected = CLIENTS[name]
    assert send(held, data, expected) == expected
    if expected:
        assert len(expected.split(b"\r\n\r\n")[0]) + 4 + len("Thu, 01 Jan 1970 00:00:00 GMT") < 512


@pytest.mark.parametrize("name", CLIENTS)
def test_check_ins_are_answered_where_a_profile_says_so(held, name):
    """POST and PUT: the hold answer or 405, and without a profile nothing else either."""
    entry, path, data, expected = CLIENTS[name]
    posts = b"POST " in data.split(b"\r\n")[0]
    path = path.replace("{id}", "mod1").encode()
    for method in (b"POST", b"PUT"):
        got = send(held, method + b" " + path + b" HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", b"x")
        assert got == expected if posts else got.startswith(b"HTTP/1.1 405 "), got
    assert send(held, b"POST /nobody HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", b"x").startswith(b"HTTP/1.1 405 ")
