#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes the test PKI with its bad cousins, and signatures that show each trap of
# the signature paper, with stock tools: openssl(1), and certtool(1) of GnuTLS
# as a second implementation. Keys are new every time; dates are fixed, and the
# tests judge at a fixed time (2026-01-01T00:00:00Z), so nothing expires.
#
#   pki.sh DIRECTORY
#
# DIRECTORY/cert   certificates and CRLs      DIRECTORY/key   private keys, public keys
# DIRECTORY/data   what was signed            DIRECTORY/cms   CMS objects, DER
# DIRECTORY/raw    signatures without a container
set -eu
LC_ALL=C
export LC_ALL
umask 022
[ $# -eq 1 ] || { echo "usage: pki.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
rm -rf cert key data cms raw ca tmp
mkdir -p cert key data cms raw ca tmp
# Whatever the machine's openssl.cnf says must not change what is made.
OPENSSL_CONF=/dev/null
export OPENSSL_CONF

FROM=20200101000000Z
UNTIL=20491231235959Z

quiet() {
	"$@" >tmp/log 2>&1 || { echo "pki.sh: failed: $*" >&2; cat tmp/log >&2; exit 1; }
}

cat >tmp/ext.cnf <<'EOF'
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca_tls]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
[ca_mute]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
[code]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[code_bare]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
[email]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,nonRepudiation
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[plain]
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
[tls]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
[anyeku]
basicConstraints = CA:FALSE
extendedKeyUsage = anyExtendedKeyUsage
[encipher]
basicConstraints = CA:FALSE
keyUsage = critical,keyEncipherment
extendedKeyUsage = codeSigning
EOF

# ca NAME [FIRST-SERIAL]: the books of an issuer.
ca() {
	mkdir -p "ca/$1"
	: >"ca/$1/index.txt"
	echo "${2:-1000}" >"ca/$1/serial"
	echo 01 >"ca/$1/crlnumber"
	cat >"ca/$1/ca.cnf" <<EOF
[ca]
default_ca = books
[books]
database = ca/$1/index.txt
serial = ca/$1/serial
crlnumber = ca/$1/crlnumber
new_certs_dir = tmp
unique_subject = no
default_md = sha256
policy = anything
preserve = yes
[anything]
organizationName = optional
commonName = optional
EOF
}

# key NAME rsa BITS | ec CURVE | ed25519
key() {
	case $2 in
	rsa) quiet openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$3" -out "key/$1.key" ;;
	ec) quiet openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$3" -out "key/$1.key" ;;
	*) quiet openssl genpkey -algorithm "$2" -out "key/$1.key" ;;
	esac
	quiet openssl pkey -in "key/$1.key" -pubout -out "key/$1.pub"
}

# cert NAME KEY SUBJECT ISSUER|self EXTENSIONS|v1 [FROM UNTIL [MD]]
cert() {
	quiet openssl req -new -utf8 -config /dev/stdin -key "key/$2.key" -subj "$3" -out tmp/csr <<EOF
[req]
distinguished_name = dn
[dn]
EOF
	if [ "$4" = self ]; then
		[ -d "ca/$1" ] || ca "$1"
		set -- "$1" "$2" "$1" "-selfsign" "$5" "${6:-$FROM}" "${7:-$UNTIL}" "${8:-sha256}"
		signer="-keyfile key/$2.key"
	else
		set -- "$1" "$2" "$4" "" "$5" "${6:-$FROM}" "${7:-$UNTIL}" "${8:-sha256}"
		signer="-cert cert/$3.pem -keyfile key/$3.key"
	fi
	ext="-extfile tmp/ext.cnf -extensions $5"
	[ "$5" != v1 ] || ext=
	# shellcheck disable=SC2086 # words on purpose
	quiet openssl ca -batch -config "ca/$3/ca.cnf" $4 $signer $ext -in tmp/csr -notext \
		-md "$8" -startdate "$6" -enddate "$7" -out "cert/$1.pem"
}

# crl NAME ISSUER LAST NEXT
crl() {
	quiet openssl ca -batch -config "ca/$2/ca.cnf" -cert "cert/$2.pem" -keyfile "key/$2.key" \
		-gencrl -crl_lastupdate "$3" -crl_nextupdate "$4" -out "cert/$1.pem"
}

# ---- issuers -------------------------------------------------------------
key root rsa 2048
key inter ec P-256
key other-root ec P-256
key tlsca ec P-256
key v1ca ec P-256
key muteca ec P-256
cp key/inter.key key/sha1ca.key
ca inter
ca other-root
ca tlsca
ca v1ca
ca muteca
cert root root "/O=Vendor/CN=Root" self ca
cert inter inter "/O=Vendor/CN=Issuing" root ca
cert other-root other-root "/O=Somebody/CN=Root" self ca
cert tlsca tlsca "/O=Vendor/CN=Web issuing" root ca_tls
cert v1ca v1ca "/O=Vendor/CN=Version 1 issuing" root v1
cert muteca muteca "/O=Vendor/CN=Not a CA" root ca_mute
# The same issuer, by name and key, vouched for with SHA-1.
cert inter-sha1 inter "/O=Vendor/CN=Issuing" root ca "$FROM" "$UNTIL" sha1

# ---- signers -------------------------------------------------------------
key code rsa 2048
key email ec P-256
key leaf ec P-256 # shared by certificates whose key does not matter
key p384 ec P-384
key ed25519 ed25519
key rsa1024 rsa 1024
key p521 ec P-521
key k256 ec secp256k1
key self rsa 2048
key revoked ec P-256
key unnamed ec P-256
cert code code "/O=Vendor/CN=Code signer" inter code
cert email email "/O=Vendor/CN=Mail signer" inter email
cert plain leaf "/O=Vendor/CN=Plain signer" inter plain
cert tls leaf "/O=Vendor/CN=Web server" inter tls
cert anyeku leaf "/O=Vendor/CN=Any purpose" inter anyeku
cert encipher leaf "/O=Vendor/CN=Encipherment only" inter encipher
cert expired leaf "/O=Vendor/CN=Expired signer" inter code 20200101000000Z 20220101000000Z
cert notyet leaf "/O=Vendor/CN=Future signer" inter code 20400101000000Z "$UNTIL"
cert revoked revoked "/O=Vendor/CN=Revoked signer" inter code
cert p384 p384 "/O=Vendor/CN=P-384 signer" inter code
cert ed25519 ed25519 "/O=Vendor/CN=Ed25519 signer" inter code
cert rsa1024 rsa1024 "/O=Vendor/CN=Short signer" inter code
cert p521 p521 "/O=Vendor/CN=P-521 signer" inter code
cert sha1 leaf "/O=Vendor/CN=SHA-1 signer" inter code "$FROM" "$UNTIL" sha1
cert other leaf "/O=Somebody/CN=Signer" other-root code
cert under-tlsca leaf "/O=Vendor/CN=Under web issuing" tlsca code
cert under-v1ca leaf "/O=Vendor/CN=Under version 1" v1ca code_bare
cert under-muteca leaf "/O=Vendor/CN=Under no CA" muteca code
cert self self "/O=Vendor/CN=Self-signed signer" self code
cert self-expired self "/O=Vendor/CN=Self-signed signer" self code 20200101000000Z 20220101000000Z
cert self-tls self "/O=Vendor/CN=Self-signed server" self tls
cert hostile leaf "/O=Vendor/CN=evil\\, O=Apple$(printf '\033')[2J$(printf '\342\200\256')txt" other-root code
cert unnamed unnamed "/" self code
# T13: the vendor's key under a certificate that nobody we know issued.
cert code-foreign code "/O=Somebody/CN=Code signer" other-root code
# T14: another key under the genuine signer's issuer name and serial.
key impostor-ca ec P-256
ca impostor-ca 9000
cert impostor-ca impostor-ca "/O=Vendor/CN=Issuing" self ca
openssl x509 -in cert/code.pem -noout -serial | sed 's/serial=//' >ca/impostor-ca/serial
key impostor rsa 2048
cert impostor impostor "/O=Vendor/CN=Code signer" impostor-ca code
# The issuer's name and public key, both there to be copied, in a certificate of somebody else's making.
quiet openssl req -new -config /dev/null -key key/impostor-ca.key -subj "/O=Vendor/CN=Issuing" -out tmp/csr
quiet openssl x509 -req -in tmp/csr -force_pubkey key/inter.pub -CA cert/impostor-ca.pem -CAkey key/impostor-ca.key \
	-set_serial 0x9100 -days 3000 -extfile tmp/ext.cnf -extensions ca -out cert/copied-ca.pem

crl crl-root root 20250601000000Z 20300101000000Z
crl crl-inter-stale inter 20240101000000Z 20240601000000Z
quiet openssl ca -batch -config ca/inter/ca.cnf -cert cert/inter.pem -keyfile key/inter.key \
	-revoke cert/revoked.pem
crl crl-inter inter 20250601000000Z 20300101000000Z
crl crl-inter-old-list inter 20240101000000Z 20240601000000Z
crl crl-inter-future inter 20270101000000Z 20300101000000Z
# A CRL in the issuer's name by a key that is not the issuer's.
crl crl-impostor impostor-ca 20250601000000Z 20300101000000Z

# Keys that must never be enrolled, spelled out byte by byte.
# rsa_spki NAME EXPONENT: the modulus of key/self under another exponent.
rsa_spki() {
	n=$(openssl rsa -in key/self.key -noout -modulus 2>/dev/null | sed 's/Modulus=//')
	cat >tmp/asn1.cnf <<EOF
asn1 = SEQUENCE:spki
[spki]
algorithm = SEQUENCE:algorithm
key = BITWRAP,SEQUENCE:rsa
[algorithm]
oid = OID:rsaEncryption
parameter = NULL
[rsa]
n = INTEGER:0x$n
e = INTEGER:$2
EOF
	quiet openssl asn1parse -genconf tmp/asn1.cnf -noout -out tmp/spki.der
	{
		echo "-----BEGIN PUBLIC KEY-----"
		openssl base64 -in tmp/spki.der
		echo "-----END PUBLIC KEY-----"
	} >"key/$1.pub"
}
rsa_spki rsa-e1 1
rsa_spki rsa-e2 2
rsa_spki rsa-e3 3
quiet openssl pkey -in key/leaf.key -pubout -ec_param_enc explicit -out key/explicit.pub
quiet openssl pkey -in key/leaf.key -pubout -ec_conv_form compressed -out key/leaf-compressed.pub
quiet openssl genpkey -algorithm X25519 -out key/x25519.key
quiet openssl pkey -in key/x25519.key -pubout -out key/x25519.pub

# ---- what is signed ------------------------------------------------------
printf 'a=1\nb=2\n' >data/lf
printf 'a=1\r\nb=2\r\n' >data/crlf
printf 'a=1\nb=3\n' >data/other
openssl rand 6000 >data/firmware

# ---- CMS -----------------------------------------------------------------
# sign NAME CERT KEY DATA [openssl cms options]; chain without the root sent along
sign() {
	out=$1 cert=$2 key=$3 data=$4
	shift 4
	quiet openssl cms -sign -binary -outform DER -md sha256 -in "data/$data" -signer "cert/$cert.pem" \
		-inkey "key/$key.key" -certfile cert/inter.pem -out "cms/$out.der" "$@"
}
sign code code code firmware
sign code-lf code code lf
sign email email email firmware
for leaf in plain tls anyeku encipher expired notyet sha1; do
	sign "$leaf" "$leaf" leaf firmware
done
sign revoked revoked revoked firmware
sign p384 p384 p384 firmware -md sha384
sign rsa1024 rsa1024 rsa1024 firmware
sign p521 p521 p521 firmware -md sha512
sign other other leaf firmware
sign hostile hostile leaf firmware
sign under-tlsca under-tlsca leaf firmware -certfile cert/tlsca.pem
sign under-v1ca under-v1ca leaf firmware -certfile cert/v1ca.pem
sign under-muteca under-muteca leaf firmware -certfile cert/muteca.pem
sign self self self firmware
sign code-foreign code-foreign code firmware
sign impostor impostor impostor firmware -certfile cert/code.pem
# The whole other chain sent along, root included: extra certificates are no anchors.
cat cert/other-root.pem cert/inter.pem >tmp/extra.pem
sign other-root other leaf firmware -certfile tmp/extra.pem
# Beside the chain, certificates that fit it by name, by key, by issuer and serial only.
for stray in impostor-ca copied-ca impostor; do
	cat cert/inter.pem "cert/$stray.pem" >tmp/extra.pem
	sign "with-$stray" code code firmware -certfile tmp/extra.pem
done
cat cert/inter.pem cert/copied-ca.pem cert/impostor-ca.pem >tmp/extra.pem
sign with-copied-chain code code firmware -certfile tmp/extra.pem
cat cert/inter.pem cert/root.pem >tmp/extra.pem
sign with-root code code firmware -certfile tmp/extra.pem
quiet openssl cms -sign -binary -outform DER -md sha256 -in data/firmware -signer cert/self.pem -inkey key/self.key \
	-out cms/self-lone.der
# T1: text canonicalisation, and text mode
quiet openssl cms -sign -outform DER -md sha256 -in data/lf -signer cert/code.pem -inkey key/code.key \
	-out cms/canonical.der
quiet openssl cms -sign -text -nodetach -outform DER -md sha256 -in data/lf -signer cert/code.pem \
	-inkey key/code.key -out cms/text.der
# T4: weak digests
sign md5 code code firmware -md md5
sign sha1-digest code code firmware -md sha1
sign sha1-noattr code code firmware -md sha1 -noattr
sign sha384 code code firmware -md sha384
sign sha512 code code firmware -md sha512
sign sha224 code code firmware -md sha224
# T6: several signers
sign two code code firmware -signer cert/email.pem -inkey key/email.key
sign two-one-unknown code code firmware -signer cert/other.pem -inkey key/leaf.key
# (openssl refuses to send one certificate twice, so none by -signer and all by -certfile)
cat cert/inter.pem cert/code.pem cert/email.pem >tmp/all.pem
sign twice code code firmware -signer cert/code.pem -inkey key/code.key -nocerts -certfile tmp/all.pem
many=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	many="$many -signer cert/email.pem -inkey key/email.key"
done
# shellcheck disable=SC2086 # words on purpose
sign seventeen code code firmware $many -nocerts -certfile tmp/all.pem
# T8: attached
sign attached code code lf -nodetach
sign attached-stream code code lf -nodetach -stream
sign attached-noattr code code lf -nodetach -noattr
sign attached-two code code lf -nodetach -signer cert/email.pem -inkey key/email.key
sign attached-two-one-unknown code code lf -nodetach -signer cert/other.pem -inkey key/leaf.key
# T9: no signer at all
quiet openssl crl2pkcs7 -nocrl -certfile cert/code.pem -outform DER -out cms/certs-only.der
# T10: no signed attributes, RSA and EC
sign noattr code code firmware -noattr
sign noattr-ec email email firmware -noattr
sign pss-noattr code code firmware -noattr -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32
# T14: identified by key, without certificates, without a name
sign keyid code code firmware -keyid
quiet openssl cms -sign -binary -nocerts -outform DER -md sha256 -in data/firmware \
	-signer cert/code.pem -inkey key/code.key -out cms/nocerts.der
quiet openssl cms -sign -binary -nocerts -noattr -outform DER -md sha256 -in data/firmware \
	-signer cert/code.pem -inkey key/code.key -out cms/noattr-nocerts.der
sign unnamed unnamed unnamed firmware
quiet openssl cms -sign -binary -nocerts -outform DER -md sha256 -in data/firmware \
	-signer cert/unnamed.pem -inkey key/unnamed.key -out cms/unnamed-nocerts.der
# T15: RSA-PSS
for salt in 0 20 32 222; do
	sign "pss-$salt" code code firmware -keyopt rsa_padding_mode:pss -keyopt "rsa_pss_saltlen:$salt"
done
sign pss-mgf1 code code firmware -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32 \
	-keyopt rsa_mgf1_md:sha1
# Other CMS types
quiet openssl cms -data_create -in data/lf -outform DER -out cms/data.der
quiet openssl cms -digest_create -in data/lf -outform DER -out cms/digested.der
sign other-type code code lf -econtent_type 1.2.840.113549.1.9.16.1.4
# GnuTLS: DER, no signed attributes; and Ed25519, which OpenSSL 3.0 does not put into CMS
gnutls() {
	quiet certtool --p7-detached-sign --p7-include-cert --load-privkey "key/$1.key" \
		--load-certificate "cert/$1.pem" --hash "$2" --infile data/firmware --outder \
		--outfile "cms/gnutls-$1.der"
}
gnutls code SHA256
gnutls email SHA256
gnutls ed25519 SHA512

# ---- raw -----------------------------------------------------------------
# raw NAME KEY MD [sigopt...]
raw() {
	out=$1 key=$2 md=$3
	shift 3
	opts=
	for opt in "$@"; do
		opts="$opts -sigopt $opt"
	done
	# shellcheck disable=SC2086 # words on purpose
	quiet openssl dgst "-$md" -sign "key/$key.key" $opts -out "raw/$out.sig" data/firmware
}
raw pkcs1-sha256 code sha256
raw pkcs1-sha384 code sha384
raw pkcs1-sha512 code sha512
raw pkcs1-sha1 code sha1
for salt in 0 20 32 222; do
	raw "pss-$salt" code sha256 rsa_padding_mode:pss "rsa_pss_saltlen:$salt"
done
raw pss-sha384 code sha384 rsa_padding_mode:pss rsa_pss_saltlen:48
raw pss-sha512 code sha512 rsa_padding_mode:pss rsa_pss_saltlen:64
raw pss-mgf1 code sha256 rsa_padding_mode:pss rsa_pss_saltlen:32 rsa_mgf1_md:sha1
raw p256 email sha256
raw p384 p384 sha384
raw p384-sha256 p384 sha256
quiet openssl pkeyutl -sign -rawin -inkey key/ed25519.key -in data/firmware -out raw/ed25519.sig
# The vendor who signs the hexadecimal text of the hash.
openssl dgst -sha256 -r data/firmware | cut -c1-64 | tr -d '\n' >tmp/hex
quiet openssl dgst -sha256 -sign key/code.key -out raw/hex-text.sig tmp/hex

rm -rf ca tmp
