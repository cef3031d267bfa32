# SPDX-License-Identifier: Apache-2.0
"""What Python's zoneinfo makes of time zones and of windows in them: zones and windows, a row a line.

zones:   TZ  instant  seconds east of UTC
windows: TZ  days  from  to  instant  open  next  close
The zones come from their POSIX text alone (a TZif file that has nothing else), so that no tzdata is needed.
next and close are found minute by minute, -1 for none within eight days.
Days of the year are written J100 only: Python 3.11 puts J59 on 29 February and counts days without a J from 1,
which neither POSIX nor the C library does (test_zone.c has those).
"""
import datetime
import io
import os
import random
import struct
import sys
import zoneinfo

UTC = datetime.timezone.utc
ZONES = [
    "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "GMT0BST,M3.5.0/1,M10.5.0",
    "IST-1GMT0,M10.5.0,M3.5.0/1",                       # Dublin: winter is the one with another offset
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",             # Lord Howe: half an hour, southern
    "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",     # Chatham
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",                  # Nuuk: the day before
    "EET-2EEST,M3.4.4/50,M10.4.4/50",                   # Gaza: two days after a Thursday
    "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",                 # Troll: two hours
    "NST3:30NDT,M3.2.0,M11.1.0", "<+0545>-5:45", "AEST-10AEDT,M10.1.0,M4.1.0/3", "HST10",
    "AAA4:30BBB3:15,J100/0,J200/24",
]
WINDOWS = [
    ("mon,tue,wed,thu,fri,sat,sun", "22:00", "02:00"), ("sun", "02:00", "03:00"), ("sun", "02:30", "04:00"),
    ("sat", "23:30", "02:30"), ("sun", "00:00", "24:00"), ("mon,wed", "12:15", "13:45"), ("sat,sun", "01:00", "00:30"),
]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def zone(text):
    """A version 2 TZif file with one type, no transition and that footer (RFC 9636 section 3)."""
    def block(version):
        head = b"TZif" + version + b"\0" * 15 + struct.pack(">6L", 0, 0, 0, 0, 1, 4)
        return head + struct.pack(">lBB", 0, 0, 0) + b"UTC\0"
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(block(b"2") + block(b"2") + b"\n" + text.encode() + b"\n"), key=text)


def offset(z, t):
    return int(datetime.datetime.fromtimestamp(t, z).utcoffset().total_seconds())


def is_open(z, days, begin, end, t):
    local = datetime.datetime.fromtimestamp(t, z)
    clock = local.strftime("%H:%M")
    today, yesterday = DAYS[local.weekday()], DAYS[(local.weekday() - 1) % 7]
    if end > begin:
        return today in days and begin <= clock < end
    return (today in days and clock >= begin) or (yesterday in days and clock < end)


def changes(z, year):
    """The instants of that year at which the offset changes, to the minute."""
    at = int(datetime.datetime(year, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime.datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())
    for t in range(at, end, 86400):
        if offset(z, t) != offset(z, t + 86400):
            yield next(m for m in range(t + 60, t + 86401, 60) if offset(z, m) != offset(z, m - 60))


def main(folder):
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(7)
    with open(os.path.join(folder, "zones"), "w") as zones, open(os.path.join(folder, "windows"), "w") as windows:
        for text in ZONES:
            z = zone(text)
            when = [rng.randrange(0, 4102444800) for _ in range(40)]
            near = []
            for year in (2023, 2024, 2026, 2040, 2096):
                for c in changes(z, year):
                    when += [c - 1, c, c + 1]
                    near.append(c)
            for t in when:
                print(text, t, offset(z, t), file=zones)
            for days, begin, end in WINDOWS:
                some = [c + rng.randrange(-4000, 200) * 60 for c in near[:4]] + [rng.randrange(0, 4102444800) // 60 * 60]
                for t in some:
                    now, change = is_open(z, days.split(","), begin, end, t), -1
                    for m in range(t, t + 8 * 86400, 60):
                        if is_open(z, days.split(","), begin, end, m) != now:
                            change = m
                            break
                    print(text, days, begin, end, t, int(now), t if now else change, change if now else t, file=windows)


main(sys.argv[1])
