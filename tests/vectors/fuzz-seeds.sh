#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Remakes the seeds of fuzz_cms and fuzz_trust and the root that fuzz_cms
# trusts. Run by hand; what it makes is committed, because a corpus must not
# change from build to build. The private keys are thrown away.
#
#   fuzz-seeds.sh TESTS-DIRECTORY
set -eu
[ $# -eq 1 ] || { echo "usage: fuzz-seeds.sh TESTS-DIRECTORY" >&2; exit 2; }
out=$(cd "$1/fuzz" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$here/pki.sh" "$tmp"
cd "$tmp"
mkdir -p "$out/corpus/cms" "$out/corpus/trust"
printf 'fotagate fuzz\n' >content
sign() {
	name=$1
	shift
	openssl cms -sign -binary -outform DER -md sha256 -in content -signer cert/email.pem \
		-inkey key/email.key -out "$out/corpus/cms/$name" "$@"
}
sign detached
sign nocerts -nocerts
sign noattr -noattr -nocerts
sign attached -nodetach
sign stream -nodetach -stream -nocerts
sign keyid -keyid -nocerts
sign two -nocerts -signer cert/revoked.pem -inkey key/revoked.key
sign_rsa() {
	name=$1
	shift
	openssl cms -sign -binary -outform DER -in content -nocerts -signer cert/code.pem \
		-inkey key/code.key -out "$out/corpus/cms/$name" "$@"
}
sign_rsa md5 -md md5
sign_rsa pss -md sha256 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32
cp cms/certs-only.der "$out/corpus/cms/certs-only"
cp cert/email.pem "$out/corpus/trust/cert"
cp cert/crl-inter.pem "$out/corpus/trust/crl"
cat key/email.pub key/ed25519.pub >"$out/corpus/trust/keys"
cp key/rsa-e1.pub "$out/corpus/trust/rsa-e1"
cp key/explicit.pub "$out/corpus/trust/explicit"
{
	echo '/* SPDX-License-Identifier: Apache-2.0 */'
	echo '/* Made by tests/vectors/fuzz-seeds.sh: the set under which fuzz_cms judges. */'
	for name in root inter email code crl-inter; do
		sed 's/.*/	"&\\n"/' "cert/$name.pem"
	done
} >"$out/fuzz_cms_trust.inc"
