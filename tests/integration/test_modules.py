# SPDX-License-Identifier: Apache-2.0
"""Which module gets what, and why not: inventory, groups, holds, networks, and identities that stay secret."""
import contextlib
import hashlib
import http.client
import os
import shutil
import ssl
import subprocess

import pytest

from gate import IMEI, PROFILE, Gate, luhn, until

HOLD = ('unlisted = "offer"', 'unlisted = "hold"')


def imei(n):
    return luhn(f"3569380364{n:04d}")


@contextlib.contextmanager
def gateway(*changes):
    """A gateway whose profile differs in these places; not started."""
    profile = PROFILE
    for old, new in changes:
        assert old in profile
        profile = profile.replace(old, new)
    g = Gate(profile=profile)
    try:
        yield g
    except BaseException:
        with contextlib.suppress(OSError):
            print(open(g.log).read()[-6000:])
        raise
    finally:
        g.close()


def inventory(gate, *rows, head="kind,identity,group,product,version", options=(), ok=(0,)):
    path = os.path.join(gate.dir, "inventory.csv")
    with open(path, "w") as f:
        f.write("\n".join([head, *rows]) + "\n")
    return gate.cli("module", "import", path, *options, ok=ok)


def released(gate, *options, **kw):
    data = gate.offer()
    gate.start()
    gate.ask(**kw)
    gate.review(1)
    gate.approve("R-1", *options)
    return data


def answer(gate, module):
    """The one answer there is, as (word, what is missing)."""
    answers = gate.cli("module", "explain", module)["answers"]
    assert len(answers) == 1 and answers[0]["text"].endswith(".")
    return answers[0]["answer"], answers[0]["missing"]


# -- the inventory -----------------------------------------------------------
def test_import_tries_first_and_takes_all_or_nothing(gate):
    gate.start()
    rows = [f"imei,{imei(1)},canary,FG100,1.0.0", f'imei,{imei(2)},"field, north",FG100,1.0.0']
    dry = inventory(gate, *rows, options=("--dry-run",))
    assert (dry["added"], dry["dry_run"], dry["errors"]) == (2, True, [])
    assert gate.cli("module", "list")["modules"] == []
    done = inventory(gate, *rows, options=("--profile", "story"))
    assert (done["added"], done["changed"], done["unchanged"]) == (2, 0, 0)
    assert sorted(m["group"] for m in gate.cli("module", "list")["modules"]) == ["canary", "field, north"]
    again = inventory(gate, rows[0], f"imei,{imei(2)},field,,")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 1, 1)
    one = gate.cli("module", "show", f"imei:{imei(2)}")
    assert (one["group"], one["product"], one["version"], one["listed"]) == ("field", "FG100", "1.0.0", True)
    tagged = inventory(gate, f"imei,{imei(2)},,,,roof;site-7", head="kind,identity,group,product,version,tags")
    assert (tagged["added"], tagged["changed"]) == (0, 1)
    one["tags"] = ["roof", "site-7"]
    gate.stop()
    gate.start()
    assert gate.cli("module", "show", f"imei:{imei(2)}") == one
    assert [m["id"] for m in gate.cli("module", "list", "--tag", "site-7")["modules"]] == [one["id"]]
    assert gate.cli("module", "list", "--tag", "site")["modules"] == []
    rows = gate.text("module", "list", "--tag", "roof", "--csv").splitlines()
    assert rows[0] == "module,group,listed,held,product,version,tags,last seen,identity" and len(rows) == 2, rows
    assert rows[1].startswith(f'{one["id"]},field,yes,no,FG100,1.0.0,"roof, site-7",'), rows


def test_every_bad_line_is_told_with_its_number(gate):
    gate.start()
    refused = inventory(gate, f"imei,{imei(1)},canary,FG100,1.0.0",
                        "imei,490154203237519,canary,FG100,1.0.0",  # the check digit
                        "",
                        f'imei,{imei(2)},"two\nlines",FG100,1.0.0',
                        "phone,0123,canary,FG100,1.0.0",
                        f"imei,{imei(3)},canary,FG100,1.0.0,more",
                        f"imei,{imei(4)},{'g' * 64},FG100,1.0.0", ok=(1,))
    assert [e["line"] for e in refused["errors"]] == [3, 5, 7, 8, 9], refused
    assert gate.cli("module", "list")["modules"] == []
    assert inventory(gate, f"imei,{imei(1)},a,b,c", head="identity,kind", ok=(1,))["errors"][0]["line"] == 1
    told = gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "module", "import",
                     os.path.join(gate.dir, "inventory.csv"), ok=(1,)).stdout
    assert "line 1: " in told


def test_strangers_are_held_and_listed_ones_are_served():
    with gateway(HOLD) as gate:
        data = released(gate)
        assert gate.ask()[0] == 404
        until(lambda: answer(gate, f"imei:{IMEI}")[0] == "unlisted")
        inventory(gate, f"imei,{imei(1)},field,FG100,1.0.0")
        assert gate.served(imei=imei(1)) == data
        assert gate.ask()[0] == 404  # still a stranger
        inventory(gate, f"imei,{IMEI},,,")
        assert gate.served() == data
        granted = {e["dev"] for e in gate.entries() if e["ev"] == "device.grant"}
        assert len(granted) == 2
        gate.verify()


# -- why not -----------------------------------------------------------------
def test_hold_and_unhold(gate):
    data = released(gate)
    assert gate.served() == data
    gate.cli("module", "hold", f"imei:{IMEI}", "--reason", "the customer asked for it")
    until(lambda: gate.ask()[0] == 404)
    assert answer(gate, f"imei:{IMEI}")[0] == "module-held"
    assert gate.served(imei=imei(1)) == data  # the others are not held
    gate.cli("module", "unhold", f"imei:{IMEI}", "--reason", "the customer agreed")
    assert gate.served() == data
    assert answer(gate, f"imei:{IMEI}")[0] == "offer"
    reasons = [e["msg"] for e in gate.entries() if e["ev"] == "config.changed"]
    assert reasons == ["the customer asked for it", "the customer agreed"]


def test_explain_names_every_reason(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    word, missing = until(lambda: answer(gate, f"imei:{IMEI}"))
    assert word == "no-release" and "R-1" in missing and "0 of 2" in missing
    gate.sign("R-1", "alice", "--group", "field")
    assert "1 of 2" in answer(gate, f"imei:{IMEI}")[1]
    gate.sign("R-1", "bob", "--group", "field")
    gate.served()
    inventory(gate, f"imei,{imei(1)},lab,FG100,1.0.0")
    cases = {imei(2): ("1.1.0", "same-version"), imei(3): ("2.0", "newer-version"), imei(4): (None, "unknown-version"),
             imei(1): ("1.0.0", "other-group")}
    for number, (version, _) in cases.items():
        assert gate.ask(imei=number, current=version)[0] == 404
    for number, (_, why) in cases.items():
        until(lambda: answer(gate, f"imei:{number}")[0] == why)
    gate.text("halt")
    assert answer(gate, f"imei:{IMEI}")[0] == "halted"
    told = gate.text("module", "explain", f"imei:{imei(1)}").splitlines()
    assert any(line.startswith("halt          NO: halted by uid ") for line in told), told
    assert any(line.startswith("group         NO: it is in group lab, the release is for field") for line in told), told
    assert any(line.startswith("hold          nobody holds it") for line in told), told


def test_explain_after_a_failed_fetch_names_it(gate):
    gate.start()
    gate.ask()
    gate.review(1, state="fetch-failed")
    word, missing = until(lambda: answer(gate, f"imei:{IMEI}"))
    assert word == "no-release" and "R-1 is fetch-failed" in missing and "404" in missing


def test_nobody_explains_a_module_that_is_not_there(gate):
    gate.start()
    assert gate.cli("module", "explain", f"imei:{imei(9)}", ok=(1,))["error"]["id"] == "NOT-FOUND"
    gate.cli("module", "explain", "no such thing", ok=(1, 2))


# -- limits of a release -----------------------------------------------------
def test_a_canary_release_reaches_only_as_many_as_were_signed_for(gate):
    data = gate.offer()
    gate.start()
    inventory(gate, *[f"imei,{imei(n)},canary,FG100,1.0.0" for n in (1, 2, 3)])
    gate.ask()
    gate.review(1)
    gate.approve("R-1", "--group", "canary", "--max-devices", "1")
    assert gate.served(imei=imei(1)) == data
    for _ in range(3):
        assert gate.ask(imei=imei(2))[0] == gate.ask(imei=imei(3))[0] == 404
        assert gate.ask()[0] == 404  # of another group
        assert gate.ask(imei=imei(1))[2] == data  # a grant is one module's, not one request's
    word, missing = answer(gate, f"imei:{imei(2)}")
    assert word == "offer" and "as many modules as people signed for" in missing
    assert answer(gate, f"imei:{IMEI}")[0] == "other-group"
    assert len({e["dev"] for e in gate.entries() if e["ev"] == "device.grant"}) == 1
    gate.stop()
    gate.start()
    assert gate.served(imei=imei(1)) == data
    assert gate.ask(imei=imei(2))[0] == 404
    gate.verify()


def test_two_people_must_sign_for_the_same_limits(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.sign("R-1", "alice", "--group", "field", "--max-devices", "1")
    gate.sign("R-1", "bob", "--group", "field", "--max-devices", "100", ok=(1,))
    assert gate.ask()[0] == 404
    gate.sign("R-1", "bob", "--group", "field", "--max-devices", "1")
    gate.served()


# -- classes -----------------------------------------------------------------
CLASS_C = ('identity = ( { class = "D"; kind = "imei"; from = "capture:imei"; check = "luhn"; } );',
           'identity = ( { class = "C"; kind = "address"; from = "source_address"; } );\n\tnetworks = (\n'
           '\t\t{ cidr = "127.0.1.0/24"; group = "canary"; },\n'
           '\t\t{ cidr = "127.0.1.128/25"; group = "field"; },\n'
           '\t\t{ cidr = "127.0.2.0/24"; module = "pump-7"; group = "canary"; }\n\t);')


def test_a_network_names_its_modules_and_their_group():
    with gateway(CLASS_C) as gate:
        data = released(gate, "--group", "canary", source="127.0.1.5")
        assert gate.served(source="127.0.1.5") == data
        assert gate.ask(source="127.0.1.200")[0] == 404  # the longer prefix: group field
        assert gate.ask(source="127.0.0.1")[0] == 404  # of no network: nobody
        assert gate.served(source="127.0.2.1") == gate.served(source="127.0.2.99") == data
        until(lambda: len(gate.cli("module", "list")["modules"]) == 3)
        names = sorted(i["text"] for m in gate.cli("module", "list")["modules"] for i in gate.reveal(m["id"]))
        assert names == ["127.0.1.200", "127.0.1.5", "pump-7"]
        assert answer(gate, "address:127.0.1.200")[0] == "other-group"
        granted = {e["dev"] for e in gate.entries() if e["ev"] == "device.grant"}
        assert len(granted) == 2  # two addresses of pump-7 are one module
        gate.verify()


def test_what_a_request_claims_does_not_move_a_module_of_a_network():
    with gateway(CLASS_C) as gate:
        released(gate, "--group", "canary", source="127.0.1.5")
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            assert gate.ask(source="127.0.0.1", headers={header: "127.0.1.5"})[0] == 404


CLASS_A = (('listeners = [ "modules", "modules-tls" ]', 'listeners = [ "modules-tls" ]'),
           ('identity = ( { class = "D"; kind = "imei"; from = "capture:imei"; check = "luhn"; } );',
            'identity = ( { class = "A"; kind = "cert"; from = "client_cert"; } );'), HOLD)


def certificate(gate, name, ca):
    """A module's certificate by that authority; the SHA-256 of its public key."""
    run = lambda *a: subprocess.run(a, check=True, cwd=gate.pki.dir, capture_output=True).stdout
    if not os.path.exists(os.path.join(gate.pki.dir, ca + ".pem")):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca + ".key",
            "-out", ca + ".pem", "-days", "3650", "-subj", f"/CN={ca}", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
        "-out", name + ".csr", "-subj", f"/CN={name}")
    with open(os.path.join(gate.pki.dir, "client.ext"), "w") as f:
        f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")
    run("openssl", "x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial",
        "-days", "3600", "-extfile", "client.ext", "-out", name + ".pem")
    return hashlib.sha256(run("openssl", "pkey", "-in", name + ".key", "-pubout", "-outform", "DER")).hexdigest()


def certified_ask(gate, name):
    """(status, body); None when the handshake was refused."""
    context = ssl._create_unverified_context()
    if name:
        context.load_cert_chain(*(os.path.join(gate.pki.dir, name + end) for end in (".pem", ".key")))
    c = http.client.HTTPSConnection("127.0.0.1", gate.tls_port, timeout=20, context=context)
    try:
        c.request("GET", "/" + gate.url().split("/", 3)[3])
        r = c.getresponse()
        return r.status, r.read()
    except (ssl.SSLError, ConnectionError):
        return None
    finally:
        c.close()


def test_a_certificate_names_a_module():
    with gateway(*CLASS_A) as gate:
        mine, other = certificate(gate, "router-1", "modules-ca"), certificate(gate, "router-2", "modules-ca")
        certificate(gate, "thief", "thieves-ca")
        shutil.copy(os.path.join(gate.pki.dir, "modules-ca.pem"), os.path.join(gate.root, "keys"))
        conf = os.path.join(gate.root, "fotagate.conf")
        text = open(conf).read()
        assert 'key = "modules-tls.key";' in text
        open(conf, "w").write(text.replace('key = "modules-tls.key";', 'key = "modules-tls.key"; client_ca = "modules-ca.pem";'))
        data = gate.offer()
        gate.start()
        inventory(gate, f"cert,{mine},field,FG100,1.0.0")
        certified_ask(gate, "router-1")
        gate.review(1)
        gate.approve()
        until(lambda: certified_ask(gate, "router-1") == (200, data))
        assert certified_ask(gate, "router-2") == (404, b"")  # a good certificate, and not in the inventory
        for name in ("thief", None):
            assert certified_ask(gate, name) in (None, (404, b""))
        until(lambda: answer(gate, f"cert:{other}")[0] == "unlisted")
        shown = gate.cli("module", "show", f"cert:{mine}")
        assert shown["identities"] == [{"class": "A", "kind": "cert", "text": "*" * 60 + mine[-4:]}]
        assert gate.reveal(shown["id"]) == [{"class": "A", "kind": "cert", "text": mine}]
        gate.verify()


TOKEN = "s3cr3t-T0ken-of-module-0001"
DIGITS = 'imei = { class = "digits"; max = 15; };'
RULE = 'identity = ( { class = "D"; kind = "imei"; from = "capture:imei"; check = "luhn"; } );'
WHERE = {
    "query": ((RULE, 'identity = ( { class = "B"; kind = "token"; from = "capture:token"; } );'),
              ('"imei={imei}"', '"imei={token}"'), (DIGITS, 'token = { class = "token"; max = 64; };')),
    "header": ((RULE, 'identity = ( { class = "B"; kind = "token"; from = "header:X-Module-Token"; } );'),
               ('"imei={imei}", ', ""), (DIGITS, "")),
    "path": ((RULE, 'identity = ( { class = "B"; kind = "token"; from = "capture:token"; } );'),
             ('"imei={imei}", ', ""), (DIGITS, 'token = { class = "token"; max = 64; };'),
             ('path = "/fw/', 'path = "/{token}/fw/')),
}


def token_ask(gate, where, token):
    if where == "query":
        return gate.ask(imei=token)
    if where == "header":
        return gate.ask(headers={"X-Module-Token": token})
    return gate.get(f"/{token}/fw/FG100/1.1.0/rootfs.img?v=1.0.0")


@pytest.mark.parametrize("where", WHERE)
def test_a_token_is_never_written_down(where):
    with gateway(HOLD, *WHERE[where]) as gate:
        data = gate.offer()
        gate.start()
        inventory(gate, f"token,{TOKEN},field,FG100,1.0.0")
        token_ask(gate, where, TOKEN)
        gate.review(1)
        gate.approve()
        until(lambda: token_ask(gate, where, TOKEN)[2] == data)
        assert token_ask(gate, where, TOKEN + "x")[0] == 404
        shown = gate.cli("module", "show", f"token:{TOKEN}")
        assert shown["identities"][0]["kind"] == "token" and TOKEN not in str(shown)
        told = str([gate.cli(*v) for v in (("module", "list"), ("sighting", "list"), ("profile", "unknown"), ("status",),
                                           ("review", "show", "R-1"), ("module", "explain", shown["id"]))])
        assert TOKEN not in told
        out = gate.export()
        gate.verify(out)
        gate.stop()
        assert not gate.vendor.saw(TOKEN)
        searched = 0
        os.unlink(os.path.join(gate.dir, "inventory.csv"))  # ours
        for top, _, files in os.walk(gate.dir):
            for name in files:
                with open(os.path.join(top, name), "rb") as f:
                    assert TOKEN.encode() not in f.read(), os.path.join(top, name)
                searched += 1
        assert searched > 20


def test_a_module_is_a_pseudonym_in_the_log(gate):
    released(gate)
    gate.served()
    out = gate.export()
    for top, _, files in os.walk(out):
        for name in files:
            with open(os.path.join(top, name), "rb") as f:
                assert IMEI.encode() not in f.read(), name
    module = gate.cli("module", "show", f"imei:{IMEI}")["id"]
    with open(os.path.join(out, "entries.jsonl")) as f:
        assert f'"dev":"{module}"' in f.read()


def test_groups_by_rule_and_lists_by_what_is_shown():
    with gateway() as gate:
        gate.set('groups = ( { name = "meters"; imei = [ "35693803" ]; }, { name = "rest"; product = "FG100"; } );')
        data = released(gate, "--group", "meters", imei=imei(1))
        assert gate.ask(imei=imei(1))[0] == 404  # a stranger is in the profile's group, whatever it claims to be
        inventory(gate, f"imei,{imei(1)},,FG100,", f"imei,{imei(2)},lab,FG100,1.0.0", "serial,SN-1,,FG100,1.0.0")
        assert gate.served(imei=imei(1)) == data

        def listed(*options):
            return len(gate.cli("module", "list", *options)["modules"])
        gate.ask(imei=imei(3))
        until(lambda: listed() == 4)
        assert [listed("--group", g) for g in ("meters", "lab", "rest", "field", "none")] == [1, 1, 1, 1, 0]
        assert listed("--absent") == 2  # in the inventory, and never seen
        assert listed("--unlisted") == 1 and listed("--product", "FG100") == 4 and listed("--product", "FG1") == 0
        assert listed("--profile", "story") == 2 and listed("--held") == 0  # those that have asked
        gate.cli("module", "hold", f"imei:{imei(2)}", "--reason", "broken")
        assert listed("--held") == 1 and listed("--held", "--group", "meters") == 0
        assert listed("--version", "1.0.0", "--group", "lab") == 1
