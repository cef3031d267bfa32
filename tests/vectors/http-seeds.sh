#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Remakes the corpus of fuzz_http_conn and test_conn_cuts: what real modules
# send (MODULE_PROTOCOLS.md, REAL_CLIENTS.md of the design notes) and what
# people send who want two parsers to disagree. Run by hand; what it makes is
# committed, because a corpus must not change from build to build.
#
#   http-seeds.sh TESTS-DIRECTORY
set -eu
[ $# -eq 1 ] || { echo "usage: http-seeds.sh TESTS-DIRECTORY" >&2; exit 2; }
out=$(cd "$1/fuzz/corpus" && pwd)/http_conn
mkdir -p "$out"
H='Host: h\r\n'
get="GET /after HTTP/1.1\\r\\n$H\\r\\n"
seed() {
	printf "$2" >"$out/$1"
}

# Modules
seed opencpu 'GET /f/k3jd92hx HTTP/1.1\r\nHost: 10.1.2.3:8080\r\nUser-Agent: QUECTEL_MODULE\r\nAccept: */*\r\nConnection: Keep-Alive\r\n\r\n'
seed xinyi 'GET /f/k3jd92hx HTTP/1.1\nHost: 10.0.0.1:8080\nRange: bytes=0-1023\n\n\nGET /f/k3jd92hx HTTP/1.1\nHost: 10.0.0.1:8080\nRange: bytes=1024-2047\n\n\n'
seed abup 'GET /pkg/1.bin?dev42 HTTP/1.1\r\nHost: iotapi.adups.com\r\nRange: bytes=1024-4096\r\n\r\n'
seed nordic 'GET /f/k3jd92hx HTTP/1.1\r\nHost: gate\r\nRange: bytes=512-1023\r\nConnection: keep-alive\r\n\r\nGET /f/k3jd92hx HTTP/1.1\r\nHost: gate\r\nRange: bytes=1024-1535\r\nConnection: keep-alive\r\n\r\n'
seed espidf 'HEAD /f/k HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: gate:8080\r\nContent-Length: 0\r\n\r\nGET /f/k HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: gate:8080\r\nRange: bytes=0-0\r\nContent-Length: 0\r\n\r\n'
seed rauc 'GET /v.raucb HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nUser-Agent: rauc/1.8\r\nAccept: */*\r\nRange: bytes=0-3\r\n\r\n'
seed anjay 'GET /fw.bin HTTP/1.1\r\nHost: 127.0.0.1:8092\r\nAccept-Encoding: gzip, deflate\r\nIf-Match: "a1b2c3d4e5f60718293a4b5c"\r\nRange: bytes=1000-\r\n\r\n'
seed mender 'POST /api/devices/v2/deployments/device/deployments/next HTTP/1.1\r\nHost: localhost:8443\r\nUser-Agent: Go-http-client/1.1\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer t\r\nAccept-Encoding: gzip\r\n\r\n2d\r\n{"device_provides":{"artifact_name":"rel-1"}}\r\n0\r\n\r\n'
seed swupdate 'PUT /default/controller/v1/m/configData HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\ncharsets: utf-8\r\ncharsets: utf-8\r\nAuthorization: TargetToken T\r\nContent-Length: 19\r\nExpect: 100-continue\r\n\r\n{ "data" : { } }   HEAD /dl/fw.swu HTTP/1.1\r\nHost: localhost:8080\r\n\r\n'
seed curl_parts 'GET /f HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nRange: bytes=0-9,100-109,-5\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n'

# Ends of a body that two parsers could see in two places
seed length_twice "POST / HTTP/1.1\\r\\n${H}Content-Length: 5\\r\\nContent-Length: 6\\r\\n\\r\\nhello$get"
seed length_and_te "POST / HTTP/1.1\\r\\n${H}Content-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nG$get"
seed te_hidden "POST / HTTP/1.1\\r\\n${H}Transfer-Encoding: xchunked\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$get"
seed te_below "POST / HTTP/1.1\\r\\n${H}Transfer-Encoding: gzip, chunked\\r\\n\\r\\n0\\r\\n\\r\\n$get"
seed te_1_0 "POST / HTTP/1.0\\r\\n${H}Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n$get"
seed fold "POST / HTTP/1.1\\r\\n${H}X: a\\r\\n Content-Length: 5\\r\\n\\r\\n$get"
seed colon "POST / HTTP/1.1\\r\\n${H}Content-Length : 5\\r\\n\\r\\nhello$get"
seed nul "GET / HTTP/1.1\\r\\nHost: h\\000x\\r\\n\\r\\n$get"
seed cr "GET / HTTP/1.1\\r\\n${H}X: a\\rContent-Length: 5\\r\\n\\r\\n$get"
seed chunk_extension "POST / HTTP/1.1\\r\\n${H}Transfer-Encoding: chunked\\r\\n\\r\\n2;\\nxx\\r\\n27\\r\\n0\\r\\n\\r\\n$get"
seed chunk_end "POST / HTTP/1.1\\r\\n${H}Transfer-Encoding: chunked\\r\\n\\r\\n1\\r\\nZ0\\r\\n\\r\\n$get"
seed chunk_fine "POST / HTTP/1.1\\r\\n${H}Transfer-Encoding: chunked\\r\\n\\r\\n5;a=\"\\\\\"\"\\r\\nGET /\\r\\n0\\r\\nContent-Length: 9\\r\\n\\r\\n$get"
seed chunk_over "POST / HTTP/1.1\\r\\n${H}Transfer-Encoding: chunked\\r\\n\\r\\n1\\r\\nx\\r\\nffffffffffffffff\\r\\n$get"
seed body_over "POST / HTTP/1.1\\r\\n${H}Content-Length: 99999\\r\\n\\r\\n$get"
seed body_short "POST / HTTP/1.1\\r\\n${H}Content-Length: 50\\r\\n\\r\\n${get}"

# The rest of the head
seed pipeline "\\r\\n\\r\\n${get}HEAD /b HTTP/1.1\\r\\n${H}Range: bytes=0-1\\r\\n\\r\\nOPTIONS * HTTP/1.1\\r\\n${H}\\r\\nGET /c HTTP/1.1\\r\\n${H}Connection: close\\r\\n\\r\\n$get"
seed conditions "GET / HTTP/1.1\\r\\n${H}If-None-Match: \"a1b2c3d4e5f60718293a4b5c\"\\r\\n\\r\\nGET / HTTP/1.1\\r\\n${H}If-Match: \"x\"\\r\\n\\r\\nGET / HTTP/1.1\\r\\n${H}If-Range: \"x\"\\r\\nRange: bytes=1-2\\r\\n\\r\\nGET / HTTP/1.1\\r\\n${H}Range: bytes=9999-\\r\\n\\r\\n"
seed ranges "GET / HTTP/1.1\\r\\n${H}Range: bytes=0-9,100-109,1400-\\r\\n\\r\\nGET / HTTP/1.1\\r\\n${H}Range: bytes=5-,0-9\\r\\n\\r\\nGET / HTTP/1.1\\r\\n${H}Range: bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-\\r\\n\\r\\n$get"
seed http_1_0 'GET / HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-1\r\n\r\nGET / HTTP/1.0\r\n\r\nGET /never HTTP/1.0\r\n\r\n'
seed absolute 'GET http://vendor.example:81/a?q HTTP/1.1\r\nHost: other\r\n\r\nCONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n'
seed hello_of_tls '\026\003\001\002\000\001\000\001'
