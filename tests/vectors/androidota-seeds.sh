#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Remakes the seeds of fuzz_androidota: small update packages by signapk. Run by hand;
# what it makes is committed. The private key is thrown away.
#
#   androidota-seeds.sh TESTS-DIRECTORY
set -eu
[ $# -eq 1 ] || { echo "usage: androidota-seeds.sh TESTS-DIRECTORY" >&2; exit 2; }
mkdir -p "$1/fuzz/corpus/androidota"
out=$(cd "$1/fuzz/corpus/androidota" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
openssl ecparam -name prime256v1 -genkey -noout -out key
openssl req -x509 -new -key key -days 3650 -subj /CN=seed -out cert.pem
openssl pkcs8 -topk8 -nocrypt -in key -outform DER -out key.pk8
mkdir -p META-INF/com/android META-INF/com/google/android
printf 'ota-type=BLOCK\npost-timestamp=1766000000\npre-device=x1|x2\nserialno=A1\nota-downgrade=yes\n' \
	>META-INF/com/android/metadata
printf 'run_program("/tmp/a");\n' >META-INF/com/google/android/updater-script
zip -q -X -r block.zip META-INF
java -jar /usr/bin/signapk -w cert.pem key.pk8 block.zip "$out/block"
printf 0123456789 >payload.bin
hash=$(openssl dgst -sha256 -binary payload.bin | base64)
printf 'FILE_HASH=%s\nFILE_SIZE=10\nMETADATA_HASH=%s\nMETADATA_SIZE=10\n' "$hash" "$hash" >payload_properties.txt
zip -q -X -0 ab.zip payload.bin payload_properties.txt
java -jar /usr/bin/signapk -w cert.pem key.pk8 ab.zip "$out/ab"
