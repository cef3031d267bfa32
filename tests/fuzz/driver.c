/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver - runs a fuzz target over files and folders without libFuzzer: each
 * input as it is, cut at several lengths, and with every byte near its start
 * and end flipped, so that a plain build still explores around the corpus.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20) /* larger seeds do not belong into a corpus */
#define FLIP_SPAN 96         /* headers and trailers are where decoders decide */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long runs;

static void
one(const uint8_t *data, size_t n)
{
	/* An exact-size copy, so that ASan sees a read one byte past the end. */
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	if (n)
		memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	runs++;
}

static void
around(uint8_t *data, size_t n)
{
	one(data, n);
	for (size_t cut = 1; cut < n; cut += 1 + cut / 8)
		one(data, cut);
	for (size_t i = 0; i < n; i++) {
		if (i == FLIP_SPAN && n > 2 * FLIP_SPAN)
			i = n - FLIP_SPAN;
		data[i] ^= 0x01;
		one(data, n);
		data[i] ^= 0x81;
		one(data, n);
		data[i] ^= 0x80;
	}
}

static int
file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	uint8_t *data = malloc(INPUT_MAX);
	if (!data)
		abort();
	size_t n = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	around(data, n);
	free(data);
	return 0;
}

static int
visit(const char *path)
{
	struct stat st;
	if (stat(path, &st)) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return file(path);
	DIR *d = opendir(path);
	if (!d) {
		perror(path);
		return 1;
	}
	int bad = 0;
	for (struct dirent *e; (e = readdir(d));) {
		char sub[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
		bad |= visit(sub);
	}
	closedir(d);
	return bad;
}

int
main(int argc, char **argv)
{
	int bad = argc < 2;
	for (int i = 1; i < argc; i++)
		bad |= visit(argv[i]);
	printf("%lu runs\n", runs);
	return bad || runs == 0;
}
