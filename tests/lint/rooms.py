# SPDX-License-Identifier: Apache-2.0
"""The house as data: which room may include which, and what each program may link.

ARCHITECTURE: the link map is the security argument, so it is written down once,
here, and held by lint_source.py and lint_objects.py.
"""

# A folder includes itself and the folders named for it; nothing else of ours.
INCLUDES = {
    "crypto": set(),
    "images": {"crypto"},
    "policy": {"crypto", "images"},
    "gateway/file": {"crypto"},
    "gateway/wire": {"crypto", "gateway/file"},
    "gateway/view": {"crypto"},
    "gateway/jail": {"crypto"},
    "gateway/role": {"crypto", "gateway/wire", "gateway/jail"},
    "gateway/net": {"crypto"},
    "gateway/state": {"crypto", "gateway/file"},
    "gateway/audit": {"crypto", "gateway/file", "gateway/wire", "gateway/jail", "gateway/role"},
    "gateway/warden": {"crypto", "gateway/file", "gateway/wire", "gateway/jail"},
    "gateway/edge": {"crypto", "images", "policy", "gateway/file", "gateway/wire", "gateway/jail", "gateway/role", "gateway/net"},
    "gateway/upstream": {"crypto", "images", "policy", "gateway/wire", "gateway/jail", "gateway/role"},
    "gateway/hook": {"crypto", "gateway/file", "gateway/wire", "gateway/jail", "gateway/role"},
    "gateway/control": {"crypto", "images", "policy", "gateway/file", "gateway/wire", "gateway/jail", "gateway/role",
                        "gateway/state", "gateway/edge"},
    "gateway/console": {"crypto", "gateway/wire", "gateway/jail", "gateway/role", "gateway/net"},
    "gateway/supervisor": {"crypto", "gateway/file", "gateway/wire", "gateway/jail", "gateway/role"},
    "gateway/witness": {"crypto", "gateway/file", "gateway/jail", "gateway/net"},
    "gateway/cmd": {"*"},
}

# Exceptions to the direction, one file each, with the reason beside it.
INCLUDE_EXCEPTIONS = {
    # The one-shot, jailed configuration child is the supervisor's by purpose
    # and policy's by content; the supervisor process never runs its code.
    "gateway/supervisor/config_child.c": {"policy", "images"},
}

# Third-party headers a room may include: <prefix> -> allowed.
LIBRARIES = {
    "crypto": {"openssl/"},
    "images": {"bzlib.h", "divsufsort.h", "lzma.h", "openssl/", "libconfig.h", "lz4.h", "lz4frame.h", "sqfs/", "yara.h", "zlib.h",
               "zstd.h", "zstd_errors.h"},
    "policy": {"libconfig.h"},
    "gateway/file": set(),
    "gateway/wire": set(),
    "gateway/view": set(),
    "gateway/jail": {"seccomp.h"},
    "gateway/role": {"event2/"},
    "gateway/net": {"event2/", "openssl/"},
    "gateway/state": {"sqlite3.h"},
    "gateway/audit": {"event2/"},
    "gateway/warden": set(),
    "gateway/edge": {"event2/", "openssl/rand.h"},
    "gateway/upstream": {"event2/", "curl/", "openssl/"},
    "gateway/hook": set(),
    "gateway/control": {"event2/", "openssl/rand.h"},
    "gateway/console": {"event2/"},
    "gateway/supervisor": {"event2/"},
    "gateway/witness": {"event2/"},
    "gateway/cmd": {"*"},
}
THIRD_PARTY = ("openssl/", "event2/", "curl/", "sqlite3.h", "seccomp.h", "libconfig.h", "zlib.h", "archive.h",
               "systemd/", "libpq", "yara", "gelf.h", "libelf", "coap3/", "lzma.h", "zstd.h", "zstd_errors.h", "bzlib.h", "sqfs/", "lz4", "divsufsort")

# Archives of ours and shared libraries each program may be made of.
PROGRAMS = {
    "fotagate-verify": ({"crypto"}, {"libcrypto"}),
    "fotagate-warden": ({"crypto", "file", "wire", "jail", "warden"}, {"libcrypto", "libseccomp"}),
    "fotagate-witness": ({"crypto", "file", "jail", "net", "witness"}, {"libcrypto", "libssl", "libseccomp", "libevent"}),
    "fotagate-inspect": ({"crypto", "images", "file", "wire", "jail"},
                         {"libcrypto", "libseccomp", "libbrotlidec", "libbz2", "libconfig", "libdivsufsort", "libfdt", "liblz4", "liblzma",
                          "libsquashfs", "libyara", "libz", "libzstd"}),
    "fotagate": ({"crypto", "images", "policy", "file", "wire", "view", "jail", "role", "audit",
                  "warden"},
                 {"libcrypto", "libssl", "libseccomp", "libconfig", "libz", "libcurl"}),
    "fotagated": ({"crypto", "images", "policy", "file", "wire", "jail", "role", "net", "edge", "upstream", "hook", "control",
                   "console",
                   "audit", "state", "supervisor"},
                  {"libcrypto", "libssl", "libseccomp", "libconfig", "libevent", "libcurl", "libsqlite3", "libz"}),
}
SYSTEM_LIBRARIES = {"libc", "ld-linux-x86-64", "ld-linux-aarch64", "libm", "libpthread", "libgcc_s"}

TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "gateway", "crypto", "policy", "images", "tests", "systemd",
             "README.md", "LICENSE"}

BANNED = {
    "strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "strtok", "strtok_r", "gets", "atoi", "atol",
    "atoll", "atof", "system", "popen", "tmpnam", "mktemp", "tempnam", "alloca", "scanf", "sscanf", "fscanf",
    "rand", "srand", "random", "setjmp", "longjmp", "asctime", "ctime", "gmtime", "localtime", "getwd", "execvp",
    "execlp", "execvpe", "realpath", "bcopy", "bzero", "index", "rindex",
}
