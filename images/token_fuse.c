/* SPDX-License-Identifier: Apache-2.0 */
/* token_fuse - commands that change a module for good: fuses, one-time memory, locks, areas that it
 * boots from. */
#include "images/token_internal.h"

#define COMMAND_MAX 120

/* A program and, where its name alone says nothing, the word that must stand behind it on the line.
 */
static const struct {
	const char *program, *behind;
} commands[] = {
    {"fuse", " prog"}, /* U-Boot */
    {"fuse", " override"},
    {"fuse", " sense"}, /* a script that asks is about to write */
    {"otp", " write"},
    {"otp", " prog"},
    {"otp", " lock"},
    {"efuse", " write"},
    {"efuse", " prog"},
    {"efuse", " blow"},
    {"efuse", " burn"},
    {"espefuse", " burn"}, /* burn_efuse, burn_key, burn_bit */
    {"espefuse.py", " burn"},
    {"espefuse", " write"}, /* write_protect_efuse */
    {"espefuse.py", " write"},
    {"espefuse.py", " read_protect"},
    {"espsecure.py", " digest"},
    {"blhost", "efuse-program"},
    {"stm32prog", " otp"},
    {"stm32_programmer_cli", " -ob"},
    {"nrfjprog", " --rbp"},
    {"nrfjprog", " --eraseuicr"},
    {"avrdude", "efuse:w"},
    {"avrdude", "lock:w"},
    {"mmc",
     " rpmb write"}, /* mmc-utils: keys, counters, write protection, sizes that can be set once */
    {"mmc", " rpmb key"},
    {"mmc", " writeprotect"},
    {"mmc", " bootpart"},
    {"mmc", " partconf"},
    {"mmc", " bootbus"},
    {"mmc", " hwreset"},
    {"mmc", " enh_area set"},
    {"mmc", " write_reliability set"},
    {"mmc", " gp create"},
    {"fastboot", " flashing lock"},
    {"fastboot", " oem lock"},
    {"avbctl", " "},
    {"mokutil", " --import"},
    {"efi-updatevar", " "},
    {"tpm2_nvincrement", " "},
    {"tpm2_nvdefine", " "},
    {"tpm2_nvwritelock", " "},
    {"tpm2_dictionarylockout", " "},
    {"flash_otp_write", " "}, /* mtd-utils */
    {"flash_otp_lock", " "},
    {"flash_otp_erase", " "},
    {"flash_lock", " "},
};

/* Words that are commands or files of such tools by themselves. */
static const char *const words[] = {"burn_efuse",
				    "burn_key",
				    "burn_key_digest",
				    "burn_bit",
				    "qfprom_write",
				    "qfuse_blow",
				    "blow_fuse",
				    "blow_fuses",
				    "efuse_write",
				    "efuse_burn",
				    "otp_write",
				    "otp_program",
				    "otp_lock",
				    "esp_efuse_write_field_blob",
				    "esp_efuse_burn_new_values",
				    "esp_efuse_update_secure_version",
				    "write_sec_dat",
				    "set_rollback_index",
				    "write_rollback_index"};

/* Areas that a module boots from; what is written there is written by a command with one of these
 * words. */
static const char *const areas[] = {"/dev/mmcblk0boot0", "/dev/mmcblk0boot1", "/dev/mmcblk1boot0",
				    "/dev/mmcblk1boot1", "/dev/mmcblk0rpmb",  "/dev/mmcblk2boot0",
				    "/dev/mmcblk2boot1"};
static const char *const names_of_areas[] = {
    "/by-name/sbl",	 "/by-name/xbl",     "/by-name/abl",	    "/by-name/aboot",
    "/by-name/tz",	 "/by-name/rpm",     "/by-name/hyp",	    "/by-name/vbmeta",
    "/by-name/keystore", "/by-name/devinfo", "/by-name/bootloader", "/by-name/lk",
    "/by-name/preloader"};

static bool
has(struct view text, const char *lower)
{
	for (size_t i = 0; i < text.n; i++)
		if (token_begins(token_from(text, i), lower))
			return true;
	return false;
}

/* The same, and no letter behind it that makes another word of it. */
static bool
says(struct view text, const char *lower)
{
	size_t n = strlen(lower);
	for (size_t i = 0; i < text.n; i++) {
		struct view here = token_from(text, i);
		if (token_begins(here, lower) &&
		    (here.n == n || lower[n - 1] == ' ' || !token_is_alpha(here.p[n])))
			return true;
	}
	return false;
}

/* From at to what ends a command. */
static struct view
command(struct view run, size_t at)
{
	size_t n = 0;
	while (at + n < run.n && n < COMMAND_MAX && !strchr(";&|`", run.p[at + n]))
		n++;
	while (n > 0 && (run.p[at + n - 1] == ' ' || run.p[at + n - 1] == '\t'))
		n--;
	return view_of(run.p + at, n);
}

size_t
token_fuse_word(struct view run, size_t at, size_t word_n)
{
	struct view word = view_of(run.p + at, word_n), line = command(run, at);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (token_same(word, words[i]))
			return line.n;
	struct view rest = token_from(line, word_n < line.n ? word_n : line.n);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		/* Options may come between, a sentence may not. */
		if (token_same(word, commands[i].program) && rest.n > 1 && rest.p[0] == ' ' &&
		    says(rest, commands[i].behind) &&
		    (token_begins(rest, commands[i].behind) || rest.p[1] == '-' ||
		     commands[i].behind[0] != ' '))
			return line.n;
	return 0;
}

/* dd, cat >, flashcp and their like: the area stands behind what writes. */
static bool
writes(struct view before)
{
	static const char *const writers[] = {
	    "of=",	    ">",	   "flashcp ",	 "nandwrite ",
	    "flash_erase ", "update_mtd ", "mtd write ", "mtd -e "};
	for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
		if (has(before, writers[i]))
			return true;
	return false;
}

size_t
token_fuse_path(struct view run, size_t at, size_t *ret_from)
{
	struct view here = token_from(run, at);
	size_t from = at;
	bool area =
	    token_begins(here, "/sys/bus/nvmem/devices/") || token_begins(here, "/sys/fsl_otp/");
	for (size_t i = 0; i < sizeof areas / sizeof areas[0] && !area; i++)
		area = token_begins(here, areas[i]);
	for (size_t i = 0; i < sizeof names_of_areas / sizeof names_of_areas[0] && !area; i++)
		area = token_begins(here, names_of_areas[i]);
	if (!area)
		return 0;
	while (from > 0 && at - from < COMMAND_MAX && !strchr(";&|`", run.p[from - 1]))
		from--;
	while (from < at && (run.p[from] == ' ' || run.p[from] == '\t'))
		from++;
	if (!writes(view_of(run.p + from, at - from)))
		return 0;
	*ret_from = from;
	return command(run, from).n;
}
