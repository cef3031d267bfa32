/* SPDX-License-Identifier: Apache-2.0 */
/* fat_name - names of entries of FAT's folders, short and long ones. */
#include "images/fat.h"

#include "crypto/reader.h"

#define LAST_PIECE 0x40u
#define LOWER_BASE 0x08u /* of byte 12: the case in which the short name is shown */
#define LOWER_END 0x10u

/* ---- long names ---- */

/* Where the thirteen units of an entry lie in it. */
static unsigned
unit_at(unsigned k)
{
	return k < 5 ? 1 + 2 * k : k < 11 ? 14 + 2 * (k - 5) : 28 + 2 * (k - 11);
}

void
fat_long_add(struct fat_long *l, const uint8_t *e)
{
	unsigned number = e[0] & 0x1f;
	if (e[0] & LAST_PIECE) {
		*l = (struct fat_long){ .sum = e[13], .pieces = number, .next = number };
	} else if (l->pieces == 0 || number != l->next || e[13] != l->sum) {
		l->pieces = 0;
		return;
	}
	if (number == 0 || number > FAT_LONG_MAX || (e[0] & 0xa0) || e[12] != 0 || e[26] != 0 || e[27] != 0) {
		l->pieces = 0;
		return;
	}
	for (unsigned k = 0; k < 13; k++)
		l->unit[(number - 1) * 13 + k] = (uint16_t)(e[unit_at(k)] | e[unit_at(k) + 1] << 8);
	l->next = number - 1;
}

bool
fat_long_is_of(const struct fat_long *l, const uint8_t *e)
{
	uint8_t sum = 0;
	for (unsigned i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + e[i]);
	/* Behind the end of a name there is filling and nothing else. */
	unsigned n = 0, all = l->pieces * 13;
	while (n < all && l->unit[n])
		n++;
	for (unsigned k = n + 1; k < all; k++)
		if (l->unit[k] != 0xffff)
			return false;
	return l->pieces > 0 && l->next == 0 && l->sum == sum && n > 0;
}

static size_t
put(uint32_t c, char *dst)
{
	if (c < 0x80) {
		dst[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		dst[0] = (char)(0xc0 | c >> 6);
		dst[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		dst[0] = (char)(0xe0 | c >> 12);
		dst[1] = (char)(0x80 | (c >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | c >> 18);
	dst[1] = (char)(0x80 | (c >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (c >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t
fat_long_name(const struct fat_long *l, char dst[FAT_NAME_MAX], bool *ret_exact)
{
	size_t n = 0;
	*ret_exact = true;
	for (unsigned k = 0, all = l->pieces * 13; k < all && l->unit[k]; k++) {
		uint32_t c = l->unit[k], next = k + 1 < all ? l->unit[k + 1] : 0;
		if (c >= 0xd800 && c < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00);
			k++; /* two units, four bytes */
		} else if (c >= 0xd800 && c < 0xe000) {
			c = '?';
			*ret_exact = false;
		}
		n += put(c, dst + n);
	}
	return n;
}

/* ---- short names ---- */

static uint8_t
lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? (uint8_t)(b + 32) : b;
}

static uint8_t
upper(uint8_t b)
{
	return b >= 'a' && b <= 'z' ? (uint8_t)(b - 32) : b;
}

size_t
fat_short_name(const uint8_t *e, char dst[FAT_NAME_MAX])
{
	size_t base = 8, end = 3, n = 0;
	while (base > 0 && e[base - 1] == ' ')
		base--;
	while (end > 0 && e[8 + end - 1] == ' ')
		end--;
	for (size_t i = 0; i < base; i++) {
		uint8_t b = i == 0 && e[0] == 0x05 ? 0xe5 : e[i]; /* which would mean a deleted one */
		dst[n++] = (char)(e[12] & LOWER_BASE ? lower(b) : b);
	}
	if (end > 0)
		dst[n++] = '.';
	for (size_t i = 0; i < end; i++)
		dst[n++] = (char)(e[12] & LOWER_END ? lower(e[8 + i]) : e[8 + i]);
	return n;
}

/* Does the k-th byte of the short form stand for b? What no short name may have becomes '_'. */
static bool
stands_for(uint8_t is, uint8_t b)
{
	return is == upper(b) || (is == '_' && (b >= 0x80 || strchr("+,;=[]", b)));
}

/* Bytes of a long name that a short one keeps: of n from p on, into dst, at most 8. How many there are. */
static size_t
kept(const uint8_t *p, size_t n, uint8_t dst[8])
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == ' ' || p[i] == '.' || (p[i] & 0xc0) == 0x80) /* the further bytes of one letter */
			continue;
		if (k < 8)
			dst[k] = p[i];
		k++;
	}
	return k;
}

bool
fat_short_fits(const uint8_t *e, struct view name)
{
	uint8_t base[8], end[8];
	const uint8_t *dot = NULL;
	for (size_t i = 1; i < name.n; i++)
		if (name.p[i] == '.')
			dot = name.p + i;
	size_t base_n = kept(name.p, dot ? (size_t)(dot - name.p) : name.n, base);
	size_t end_n = dot ? kept(dot + 1, (size_t)(name.p + name.n - dot - 1), end) : 0, i = 0;
	for (size_t k = 0; k < 3; k++)
		if (k < end_n ? !stands_for(e[8 + k], end[k]) : e[8 + k] != ' ')
			return false;
	while (i < 8 && i < base_n && stands_for(e[i], base[i]))
		i++;
	if (i == 8 || e[i] == ' ')
		return i == base_n || i == 8;
	if (e[i] != '~' || i == 0)
		return false;
	for (i++; i < 8 && e[i] >= '0' && e[i] <= '9'; i++)
		continue;
	return i == 8 || e[i] == ' ';
}
