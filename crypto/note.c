/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/note.h"

#include <inttypes.h>

#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/reader.h"
#include "crypto/utf8.h"
#include "crypto/wipe.h"

#define SKEY_PREFIX "PRIVATE+KEY+"
#define SIG_PREFIX "\xe2\x80\x94 " /* U+2014 and a space */
#define ID_LEN 4
#define TIME_LEN 8
#define MATERIAL_LEN (1 + ED25519_KEY_LEN) /* type byte and key or seed */
#define BLOB_MAX 8192 /* one decoded signature: the largest post-quantum one is 4,627 bytes */

static const char *const OUTCOMES[] = {
	[NOTE_UNKNOWN] = "unknown",
	[NOTE_VERIFIED] = "verified",
	[NOTE_MALFORMED] = "malformed",
	[NOTE_NO_KNOWN_KEY] = "no-known-key",
	[NOTE_BAD_SIGNATURE] = "bad-signature",
};

const char *
note_outcome_name(enum note_outcome outcome)
{
	return (unsigned)outcome < sizeof OUTCOMES / sizeof *OUTCOMES ? OUTCOMES[outcome] :
	    OUTCOMES[NOTE_UNKNOWN];
}

static bool
begins(struct view v, const char *prefix, struct view *rest)
{
	size_t n = strlen(prefix);
	if (v.n < n || memcmp(v.p, prefix, n) != 0)
		return false;
	*rest = view_of(v.p + n, v.n - n);
	return true;
}

/* Splits v at the first c; false when there is none. */
static bool
cut(struct view v, char c, struct view *before, struct view *after)
{
	const uint8_t *at = v.n ? memchr(v.p, c, v.n) : NULL;
	if (!at)
		return false;
	*before = view_of(v.p, (size_t)(at - v.p));
	*after = view_of(at + 1, v.n - before->n - 1);
	return true;
}

/* White_Space of the Unicode database. */
static bool
is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	    c == 0x205f || c == 0x3000;
}

/* A name as the format defines it, of any length. */
static bool
name_is_wellformed(struct view name)
{
	size_t n;
	if (name.n == 0)
		return false;
	for (struct view rest = name; rest.n; rest = view_of(rest.p + n, rest.n - n)) {
		uint32_t c;
		n = utf8_next(rest, &c);
		if (n == 0 || c < 0x20 || c == '+' || is_space(c))
			return false;
	}
	return true;
}

bool
note_name_is_valid(struct view name)
{
	return name.n <= NOTE_NAME_MAX && name_is_wellformed(name);
}

/* UTF-8 without control characters below U+0020 other than "\n". */
static bool
text_is_wellformed(struct view text)
{
	size_t n;
	for (struct view rest = text; rest.n; rest = view_of(rest.p + n, rest.n - n)) {
		uint32_t c;
		n = utf8_next(rest, &c);
		if (n == 0 || (c < 0x20 && c != '\n'))
			return false;
	}
	return true;
}

/* ---- keys ---- */

static bool
type_is_known(unsigned type)
{
	return type == NOTE_TYPE_ED25519 || type == NOTE_TYPE_COSIGNATURE;
}

/* SHA-256(name || 0x0A || type || public key)[0:4]; name is valid, hence short. */
static int
key_id(struct view name, enum note_type type, const uint8_t key[ED25519_KEY_LEN], uint32_t *ret)
{
	uint8_t in[NOTE_NAME_MAX + 1 + MATERIAL_LEN];
	uint8_t out[DIGEST_SHA256_LEN];
	memcpy(in, name.p, name.n);
	in[name.n] = '\n';
	in[name.n + 1] = (uint8_t)type;
	memcpy(in + name.n + 2, key, ED25519_KEY_LEN);
	int rc = digest_sha256(view_of(in, name.n + 1 + MATERIAL_LEN), out);
	if (rc < 0)
		return rc;
	*ret = (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 | (uint32_t)out[2] << 8 | out[3];
	return 0;
}

static int
key_make(struct view name, unsigned type, const uint8_t key[ED25519_KEY_LEN], struct note_key *ret)
{
	if (!note_name_is_valid(name) || !type_is_known(type) || !ed25519_key_is_safe(key))
		return FG_EINVAL;
	struct note_key k = { .type = (enum note_type)type };
	memcpy(k.name, name.p, name.n);
	memcpy(k.key, key, sizeof k.key);
	int rc = key_id(name, k.type, key, &k.id);
	if (rc < 0)
		return rc;
	*ret = k;
	return 0;
}

int
note_key_make(const char *name, enum note_type type, const uint8_t key[ED25519_KEY_LEN],
    struct note_key *ret)
{
	return key_make(view_str(name), type, key, ret);
}

bool
note_key_equal(const struct note_key *a, const struct note_key *b)
{
	return a->type == b->type && a->id == b->id && strcmp(a->name, b->name) == 0 &&
	    memcmp(a->key, b->key, sizeof a->key) == 0;
}

/* `name+hash+base64` into its parts: material is the type byte and 32 bytes. */
static int
parse_parts(struct view text, struct view *name, uint32_t *id, uint8_t material[MATERIAL_LEN])
{
	struct view rest;
	struct view hash;
	struct view digits; /* base64 may hold '+': whatever follows the second one */
	uint8_t raw[ID_LEN];
	if (!cut(text, '+', name, &rest) || !cut(rest, '+', &hash, &digits) ||
	    !hex_decode(hash, raw, sizeof raw))
		return FG_EFORMAT;
	struct writer w;
	writer_init(&w, MATERIAL_LEN);
	int rc = base64_decode(digits, &w);
	struct view bytes = writer_view(&w);
	if (rc == FG_ELIMIT || (rc == 0 && bytes.n != MATERIAL_LEN))
		rc = FG_EFORMAT;
	if (rc == 0) {
		memcpy(material, bytes.p, MATERIAL_LEN);
		*id = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];
	}
	writer_free(&w);
	return rc;
}

static void
write_parts(const struct note_key *key, const uint8_t secret_or_key[ED25519_KEY_LEN],
    struct writer *w)
{
	uint8_t material[MATERIAL_LEN];
	material[0] = (uint8_t)key->type;
	memcpy(material + 1, secret_or_key, ED25519_KEY_LEN);
	writer_textf(w, "%s+%08" PRIx32 "+", key->name, key->id);
	base64_encode(view_of(material, sizeof material), w);
	wipe(material, sizeof material);
}

int
note_key_parse(struct view text, struct note_key *ret)
{
	struct view name;
	uint32_t id;
	uint8_t material[MATERIAL_LEN];
	struct note_key key;
	int rc = parse_parts(text, &name, &id, material);
	if (rc < 0)
		return rc;
	rc = key_make(name, material[0], material + 1, &key);
	if (rc == FG_EINVAL || (rc == 0 && key.id != id))
		return FG_EFORMAT;
	if (rc == 0)
		*ret = key;
	return rc;
}

void
note_key_write(const struct note_key *key, struct writer *w)
{
	write_parts(key, key->key, w);
}

static int
signer_make(struct view name, unsigned type, const uint8_t seed[ED25519_SEED_LEN],
    struct note_signer *ret)
{
	uint8_t public[ED25519_KEY_LEN];
	struct note_key key;
	int rc = ed25519_public(seed, public);
	if (rc == 0)
		rc = key_make(name, type, public, &key);
	if (rc < 0)
		return rc;
	ret->key = key;
	memcpy(ret->seed, seed, ED25519_SEED_LEN);
	return 0;
}

int
note_signer_make(const char *name, enum note_type type, const uint8_t seed[ED25519_SEED_LEN],
    struct note_signer *ret)
{
	return signer_make(view_str(name), type, seed, ret);
}

int
note_signer_generate(const char *name, enum note_type type, struct note_signer *ret)
{
	uint8_t seed[ED25519_SEED_LEN];
	int rc = ed25519_generate(seed);
	if (rc == 0)
		rc = note_signer_make(name, type, seed, ret);
	wipe(seed, sizeof seed);
	return rc;
}

int
note_signer_parse(struct view text, struct note_signer *ret)
{
	struct view rest = text;
	struct view name;
	uint32_t id;
	uint8_t material[MATERIAL_LEN];
	struct note_signer signer;
	if (rest.n && rest.p[rest.n - 1] == '\n')
		rest.n--;
	if (!begins(rest, SKEY_PREFIX, &rest))
		return FG_EFORMAT;
	int rc = parse_parts(rest, &name, &id, material);
	if (rc < 0)
		return rc;
	rc = signer_make(name, material[0], material + 1, &signer);
	wipe(material, sizeof material);
	if (rc == FG_EINVAL || (rc == 0 && signer.key.id != id))
		rc = FG_EFORMAT;
	if (rc == 0)
		*ret = signer;
	note_signer_wipe(&signer);
	return rc;
}

void
note_signer_write(const struct note_signer *signer, struct writer *w)
{
	writer_text(w, SKEY_PREFIX);
	write_parts(&signer->key, signer->seed, w);
}

void
note_signer_wipe(struct note_signer *signer)
{
	wipe(signer, sizeof *signer);
}

/* ---- signing ---- */

static bool
text_is_signable(struct view text)
{
	return text.n && text.n < NOTE_SIZE_MAX && text.p[text.n - 1] == '\n' &&
	    text_is_wellformed(text);
}

/* "— name base64(id || payload)\n" */
static void
write_line(const struct note_key *key, struct view payload, struct writer *w)
{
	uint8_t blob[ID_LEN + TIME_LEN + ED25519_SIG_LEN];
	for (unsigned i = 0; i < ID_LEN; i++)
		blob[i] = (uint8_t)(key->id >> (24 - 8 * i));
	memcpy(blob + ID_LEN, payload.p, payload.n);
	writer_text(w, SIG_PREFIX);
	writer_text(w, key->name);
	writer_text(w, " ");
	base64_encode(view_of(blob, ID_LEN + payload.n), w);
	writer_text(w, "\n");
}

int
note_sign(struct view text, const struct note_signer *signer, struct writer *w)
{
	uint8_t sig[ED25519_SIG_LEN];
	if (signer->key.type != NOTE_TYPE_ED25519 || !text_is_signable(text))
		return FG_EINVAL;
	int rc = ed25519_sign(signer->seed, text, sig);
	if (rc < 0)
		return rc;
	writer_bytes(w, text);
	writer_text(w, "\n");
	write_line(&signer->key, view_of(sig, sizeof sig), w);
	return writer_err(w);
}

void
note_cosignature_message(struct view text, uint64_t time, struct writer *w)
{
	writer_textf(w, "cosignature/v1\ntime %" PRIu64 "\n", time);
	writer_bytes(w, text);
}

int
note_cosign(struct view text, const struct note_signer *signer, uint64_t time, struct writer *w)
{
	uint8_t payload[TIME_LEN + ED25519_SIG_LEN];
	if (signer->key.type != NOTE_TYPE_COSIGNATURE || !text_is_signable(text))
		return FG_EINVAL;
	struct writer message;
	writer_init(&message, NOTE_SIZE_MAX);
	note_cosignature_message(text, time, &message);
	int rc = writer_err(&message);
	if (rc == 0)
		rc = ed25519_sign(signer->seed, writer_view(&message), payload + TIME_LEN);
	writer_free(&message);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < TIME_LEN; i++)
		payload[i] = (uint8_t)(time >> (56 - 8 * i));
	write_line(&signer->key, view_of(payload, sizeof payload), w);
	return writer_err(w);
}

/* ---- opening ---- */

/* Text up to the last empty line, and what follows it. */
static bool
split(struct view note, struct view *text, struct view *lines)
{
	for (size_t i = note.n; i >= 2; i--) {
		if (note.p[i - 1] == '\n' && note.p[i - 2] == '\n') {
			*text = view_of(note.p, i - 1);
			*lines = view_of(note.p + i, note.n - i);
			return lines->n && note.p[note.n - 1] == '\n';
		}
	}
	return false;
}

/* The parts of a signature line; false when it is none. The blob is appended to w. */
static bool
line_parts(struct view line, struct view *name, struct writer *blob, uint32_t *id, struct view *payload)
{
	struct view rest;
	struct view digits;
	struct reader r;
	if (!begins(line, SIG_PREFIX, &rest) || !cut(rest, ' ', name, &digits) || !name_is_wellformed(*name) ||
	    base64_decode(digits, blob) != 0)
		return false;
	reader_init(&r, writer_view(blob));
	*id = reader_u32(&r);
	*payload = reader_take(&r, reader_left(&r));
	return payload->n > 0;
}

int
note_keep(struct view note, const struct note_key *keys, size_t n, struct writer *w)
{
	struct view text;
	struct view lines;
	struct view line;
	bool have[NOTE_KEYS_MAX] = { false };
	if (n > NOTE_KEYS_MAX || note.n > NOTE_SIZE_MAX || !text_is_wellformed(note) ||
	    !split(note, &text, &lines))
		return FG_EFORMAT;
	writer_bytes(w, text);
	writer_text(w, "\n");
	while (cut(lines, '\n', &line, &lines)) {
		struct writer blob;
		struct view name;
		struct view payload;
		uint32_t id;
		bool keep = false;
		writer_init(&blob, BLOB_MAX);
		if (line_parts(line, &name, &blob, &id, &payload)) {
			for (size_t i = 0; i < n && !keep; i++) {
				keep = !have[i] && keys[i].id == id && view_is(name, keys[i].name);
				have[i] |= keep;
			}
		}
		writer_free(&blob);
		if (keep) {
			writer_bytes(w, line);
			writer_text(w, "\n");
		}
	}
	return writer_err(w);
}

/* Verifies what follows the key id in one line of a known key. */
static int
verify_payload(const struct note_key *key, struct view text, struct view payload,
    uint64_t *ret_time, bool *ret_valid)
{
	if (key->type == NOTE_TYPE_ED25519)
		return ed25519_verify(key->key, text, payload, ret_valid);
	*ret_valid = false;
	if (payload.n != TIME_LEN + ED25519_SIG_LEN)
		return 0;
	struct reader r;
	struct writer message;
	reader_init(&r, payload);
	uint64_t time = reader_u64(&r);
	writer_init(&message, NOTE_SIZE_MAX + 64);
	note_cosignature_message(text, time, &message);
	int rc = writer_err(&message);
	if (rc == 0)
		rc = ed25519_verify(key->key, writer_view(&message), reader_take(&r, ED25519_SIG_LEN),
		    ret_valid);
	writer_free(&message);
	if (rc == 0 && *ret_valid)
		*ret_time = time;
	return rc;
}

/*
 * One signature line, without its "\n". The outcome in *ret is what this line
 * alone says: malformed, bad, of an unknown key, or verified.
 */
static int
open_line(struct view line, struct view text, const struct note_key *keys, size_t n,
    struct note_opened *o, enum note_outcome *ret)
{
	struct view rest;
	struct view name;
	struct view digits;
	struct writer blob;
	struct reader r;
	*ret = NOTE_MALFORMED;
	if (!begins(line, SIG_PREFIX, &rest) || !cut(rest, ' ', &name, &digits) ||
	    !name_is_wellformed(name))
		return 0;
	writer_init(&blob, BLOB_MAX);
	int rc = base64_decode(digits, &blob);
	reader_init(&r, writer_view(&blob));
	uint32_t id = reader_u32(&r);
	struct view payload = reader_take(&r, reader_left(&r));
	if (rc == 0 && payload.n > 0)
		*ret = NOTE_NO_KNOWN_KEY;
	for (size_t i = 0; *ret == NOTE_NO_KNOWN_KEY && i < n; i++) {
		uint64_t time = 0;
		bool valid;
		if (keys[i].id != id || !view_is(name, keys[i].name))
			continue;
		rc = verify_payload(&keys[i], text, payload, &time, &valid);
		if (rc < 0)
			break;
		*ret = valid ? NOTE_VERIFIED : NOTE_BAD_SIGNATURE;
		if (valid) {
			o->signed_by[i] = true;
			if (time > o->signed_at[i])
				o->signed_at[i] = time;
		}
	}
	writer_free(&blob);
	return rc == FG_EFORMAT || rc == FG_ELIMIT ? 0 : rc;
}

/* All lines; the worst of them is the note's outcome, and one good one is needed. */
static int
open_lines(struct view lines, struct view text, const struct note_key *keys, size_t n,
    struct note_opened *o)
{
	struct view line;
	bool verified = false;
	bool bad = false;
	for (unsigned count = 0; lines.n; count++) {
		enum note_outcome outcome = NOTE_MALFORMED;
		int rc = 0;
		if (count < NOTE_SIGS_MAX && cut(lines, '\n', &line, &lines))
			rc = open_line(line, text, keys, n, o, &outcome);
		if (rc < 0)
			return rc;
		if (outcome == NOTE_MALFORMED) {
			o->outcome = NOTE_MALFORMED;
			return 0;
		}
		verified |= outcome == NOTE_VERIFIED;
		bad |= outcome == NOTE_BAD_SIGNATURE;
		o->unknown += outcome == NOTE_NO_KNOWN_KEY;
	}
	o->outcome = bad ? NOTE_BAD_SIGNATURE : verified ? NOTE_VERIFIED : NOTE_NO_KNOWN_KEY;
	return 0;
}

int
note_open(struct view note, const struct note_key *keys, size_t n, struct note_opened *ret)
{
	struct view text;
	struct view lines;
	if (n > NOTE_KEYS_MAX)
		return FG_EINVAL;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (keys[i].id == keys[j].id && strcmp(keys[i].name, keys[j].name) == 0)
				return FG_EINVAL;
		}
	}
	struct note_opened o = { .outcome = NOTE_MALFORMED };
	if (note.n <= NOTE_SIZE_MAX && text_is_wellformed(note) && split(note, &text, &lines)) {
		int rc = open_lines(lines, text, keys, n, &o);
		if (rc < 0)
			return rc;
	}
	if (o.outcome == NOTE_VERIFIED) {
		o.text = text;
	} else { /* nobody may take a half-read note for one that somebody signed */
		memset(o.signed_by, 0, sizeof o.signed_by);
		memset(o.signed_at, 0, sizeof o.signed_at);
	}
	*ret = o;
	return 0;
}
