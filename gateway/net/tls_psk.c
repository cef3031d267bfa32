/* SPDX-License-Identifier: Apache-2.0 */
/* tls_psk - keys that modules share with the gateway (RFC 4279, RFC 8446 section 2.2), and who proved to have one. */
#include <stdlib.h>

#include <openssl/rand.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/net/tls_private.h"

#define RANDOM_KEY 32 /* what an unknown identity is checked by */

struct row { /* one line, by offsets into text: a fleet's file is read once and kept once */
	uint32_t at;
	uint16_t identity_n, digits_n;
};

struct tls_psk {
	uint8_t *text; /* secret */
	size_t n, n_rows;
	struct row *rows; /* in order of identity */
};

static struct view
identity_of(const struct tls_psk *p, const struct row *r)
{
	return view_of(p->text + r->at, r->identity_n);
}

static int
compare(struct view a, struct view b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int
by_identity(const void *a, const void *b, void *psk)
{
	return compare(identity_of(psk, a), identity_of(psk, b));
}

static const struct row *
find(const struct tls_psk *p, struct view identity)
{
	size_t low = 0, high = p->n_rows;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = compare(identity, identity_of(p, &p->rows[mid]));
		if (order == 0)
			return &p->rows[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* "identity:hex", as psktool writes it. Printable, and not its escape for what is not. */
static bool
read_line(const struct tls_psk *p, size_t at, size_t n, struct row *r)
{
	uint8_t key[TLS_PSK_KEY_MAX];
	uint8_t *line = p->text + at, *colon = memchr(line, ':', n);
	size_t identity = colon ? (size_t)(colon - line) : 0, digits = n - identity - 1;
	if (identity == 0 || identity > TLS_PSK_IDENTITY_MAX || line[0] == '#')
		return false;
	for (size_t i = 0; i < identity; i++)
		if (line[i] < 0x21 || line[i] > 0x7e)
			return false;
	if (digits % 2 || digits < 2 * TLS_PSK_KEY_MIN || digits > 2 * sizeof key)
		return false;
	for (uint8_t *c = colon + 1; c < colon + 1 + digits; c++)
		if (*c >= 'A' && *c <= 'F')
			*c |= 0x20;
	bool hex = hex_decode(view_of(colon + 1, digits), key, digits / 2);
	wipe(key, sizeof key);
	*r = (struct row){ (uint32_t)at, (uint16_t)identity, (uint16_t)digits };
	return hex;
}

/* 0, or the number of the first line that cannot be used. */
static unsigned
read_lines(struct tls_psk *p)
{
	unsigned number = 1;
	for (size_t at = 0; at < p->n; number++) {
		const uint8_t *line = p->text + at, *end = memchr(line, '\n', p->n - at);
		size_t n = end ? (size_t)(end - line) : p->n - at, next = at + n + 1;
		if (n && line[n - 1] == '\r')
			n--;
		if (n && !read_line(p, at, n, &p->rows[p->n_rows++]))
			return number;
		at = next;
	}
	return 0;
}

static bool
has_twins(const struct tls_psk *p)
{
	for (size_t i = 1; i < p->n_rows; i++)
		if (compare(identity_of(p, &p->rows[i - 1]), identity_of(p, &p->rows[i])) == 0)
			return true;
	return false;
}

/* The key, in small hexadecimal digits: equal ones are equal keys. */
static const uint8_t *
digits_of(const struct tls_psk *p, const struct row *r)
{
	return p->text + r->at + r->identity_n + 1;
}

static size_t
key_of(const struct tls_psk *p, const struct row *r, uint8_t *key, size_t max)
{
	size_t n = r->digits_n / 2u;
	return n <= max && hex_decode(view_of(digits_of(p, r), r->digits_n), key, n) ? n : 0;
}

/*
 * TLS 1.2. An unknown identity is checked by a key that nobody has, and so fails
 * as a wrong key does: who has a module's name cannot find out whether it is one.
 */
static unsigned
on_identity(SSL *ssl, const char *identity, unsigned char *key, unsigned max)
{
	const struct tls_session *s = SSL_get_app_data(ssl);
	const struct row *r = find(s->tls->psk, view_str(identity));
	if (SSL_version(ssl) == TLS1_3_VERSION) /* OpenSSL asks here too when on_find knew nothing */
		return 0;
	if (r)
		return (unsigned)key_of(s->tls->psk, r, key, max);
	return max >= RANDOM_KEY && RAND_bytes(key, RANDOM_KEY) == 1 ? RANDOM_KEY : 0;
}

/* What somebody wrote into a module. Tickets, ours and others', are longer and not printable. */
static bool
is_written(struct view identity)
{
	size_t i = 0;
	while (i < identity.n && identity.p[i] >= 0x21 && identity.p[i] <= 0x7e)
		i++;
	return i == identity.n && identity.n <= TLS_PSK_IDENTITY_MAX;
}

/*
 * TLS 1.3, where tickets come here as well. The identity is tied to the session
 * that OpenSSL makes of it, so that only a key that was proved names somebody.
 * An unknown one fails by a random key, as in TLS 1.2.
 */
static int
on_find(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **ret)
{
	static const unsigned char aes128[] = { 0x13, 0x01 };
	struct tls_session *s = SSL_get_app_data(ssl);
	const struct row *r = find(s->tls->psk, view_of(identity, n));
	uint8_t key[TLS_PSK_KEY_MAX];
	*ret = NULL;
	if (!r && !is_written(view_of(identity, n)))
		return 1;
	size_t key_n = r ? key_of(s->tls->psk, r, key, sizeof key) : RAND_bytes(key, RANDOM_KEY) == 1 ? RANDOM_KEY : 0;
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes128);
	SSL_SESSION *session = SSL_SESSION_new();
	int ok = session && key_n && cipher && SSL_SESSION_set1_master_key(session, key, key_n) == 1 &&
	    SSL_SESSION_set_cipher(session, cipher) == 1 &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1 &&
	    tls_data_set(session, TLS_DATA_PSK, view_of(identity, n)) && SSL_set_num_tickets(ssl, 0) == 1;
	wipe(key, sizeof key);
	if (ok)
		*ret = session;
	else
		SSL_SESSION_free(session);
	return ok;
}

int
tls_psk_fill(struct tls *tls, struct view file, unsigned *ret_line)
{
	size_t lines = 1;
	struct tls_psk *p = calloc(1, sizeof *p);
	*ret_line = 0;
	for (size_t i = 0; i < file.n; i++)
		lines += file.p[i] == '\n';
	if (file.n > TLS_PSK_FILE_MAX) {
		free(p);
		return FG_ELIMIT;
	}
	tls->psk = p;
	if (!p || !(p->rows = calloc(lines, sizeof *p->rows)) || !(p->text = malloc(file.n + 1)))
		return FG_ENOMEM;
	memcpy(p->text, file.p, file.n);
	p->n = file.n;
	*ret_line = read_lines(p);
	if (*ret_line || p->n_rows == 0)
		return FG_EINVAL;
	qsort_r(p->rows, p->n_rows, sizeof *p->rows, by_identity, p);
	if (has_twins(p))
		return FG_EEXIST;
	SSL_CTX_set_psk_server_callback(tls->ctx, on_identity);
	SSL_CTX_set_psk_find_session_callback(tls->ctx, on_find);
	return FG_OK;
}

void
tls_psk_free(struct tls_psk *p)
{
	if (!p)
		return;
	if (p->text)
		wipe(p->text, p->n);
	free(p->text);
	free(p->rows);
	free(p);
}

bool
tls_psk_take(struct tls_session *s)
{
	struct view who = { 0 };
	if (!s->tls->psk)
		return true;
	if (SSL_version(s->ssl) == TLS1_3_VERSION) {
		if (SSL_session_reused(s->ssl))
			who = tls_data_get(SSL_get0_session(s->ssl), TLS_DATA_PSK);
	} else {
		who = view_str(SSL_get_psk_identity(s->ssl));
	}
	if (!who.p || who.n == 0)
		return true;
	s->psk = calloc(1, who.n + 1);
	if (s->psk)
		memcpy(s->psk, who.p, who.n);
	return s->psk != NULL;
}

bool
tls_psk_holds(const struct tls *tls, const struct tls_session *s)
{
	struct view who = view_str(s->psk);
	const struct row *was = find(s->tls->psk, who), *is = tls->psk ? find(tls->psk, who) : NULL;
	return was && is && was->digits_n == is->digits_n && wipe_equal(digits_of(s->tls->psk, was), digits_of(tls->psk, is),
	    is->digits_n);
}
