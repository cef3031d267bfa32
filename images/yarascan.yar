// SPDX-License-Identifier: Apache-2.0
//
// Rules that fotagate-inspect brings along. They are for what strings, contact points
// and certificates on the page do not show by themselves: known ways in, known bad
// company, keys that everybody has, code that hides other code. severity "notice":
// worth a line, no reason to stop. What a rule is for stands in its meta, and on the page.

rule shell_to_the_outside
{
	meta:
		description = "A command line that gives a shell to whoever is at the other end"
	strings:
		$pipe = /mkfifo [^\n]{1,80}\|[^\n]{0,40}sh -i[^\n]{0,60}\|[^\n]{0,20}(nc|telnet|openssl) /
		$bash = /(ba)?sh -i [^\n]{0,10}>& ?\/dev\/(tcp|udp)\//
		$exec = /exec [0-9]{1,3}<> ?\/dev\/(tcp|udp)\/[^\n]{1,160}(sh -i|\| ?(ba)?sh|while read)/
		$python = /socket\.socket\([^\n]{0,200}(os\.dup2|pty\.spawn)\(/
		$perl = /use Socket;[^\n]{0,300}open\(STDIN,">&S"\)/
		$php = /fsockopen\([^\n]{1,80}exec\(["'](\/bin\/)?(ba)?sh -i/
		$lua = /require\(["']socket["']\)[^\n]{0,120}io\.popen\(/
		$socat = /socat [^\n]{0,80}exec:["']?[^\n]{0,40}sh[^\n]{0,40}pty/ nocase
	condition:
		any of them
}

rule shellcode_that_connects
{
	meta:
		description = "Machine code that connects a socket and starts /bin/sh on it"
	strings:
		// socket(2, 1, 0), connect, dup2 in a loop, execve: x86-64, i386; ARM and Thumb with the string behind
		$amd64 = { 6a 29 58 [0-4] 6a 02 5f 6a 01 5e [0-4] 0f 05 48 97 48 b9 02 00 ?? ?? ?? ?? ?? ?? 51 48 89 e6 }
		$i386 = { 31 db f7 e3 53 43 53 6a 02 (89 e1 b0 66 | b0 66 89 e1) cd 80 }
		$arm = { 02 00 a0 e3 01 10 a0 e3 (05 20 81 e2 | 06 20 a0 e3) 8c 70 a0 e3 8d 70 87 e2 00 00 00 ef }
		$mips = { 24 0f ff fa 01 e0 78 27 21 e4 ff fd 21 e5 ff fd 28 06 ff ff 24 02 10 57 01 01 01 0c }
	condition:
		any of them
}

rule remote_access_kit
{
	meta:
		description = "Words of a kit for remote control (Meterpreter, Sliver, Cobalt Strike, Merlin)"
	strings:
		$a1 = "stdapi_sys_process_execute"
		$a2 = "core_channel_open"
		$a3 = "mettle"
		$b1 = "sliverpb."
		$b2 = "bishopfox/sliver"
		$c1 = "beacon.x64.dll"
		$c2 = "%s.4%08x%08x%08x%08x%08x.%08x%08x%08x%08x%08x%08x%08x.%08x%08x%08x%08x%08x%08x%08x"
		$d1 = "Ne0nd0g/merlin"
	condition:
		2 of ($a*) or any of ($b*) or any of ($c*) or $d1
}

rule botnet_gafgyt
{
	meta:
		description = "Words of the Gafgyt family of botnets"
	strings:
		$s1 = "GETLOCALIP"
		$s2 = "KILLATTK"
		$s3 = "LOLNOGTFO"
		$s4 = "BOTKILL"
		$s5 = "TELSCAN"
		$s6 = "PONG!"
		$s7 = "[HTTP]Flooding"
	condition:
		3 of them
}

rule botnet_mirai
{
	meta:
		description = "Words of the Mirai family of botnets, plain or under its usual key"
	strings:
		$plain1 = "/bin/busybox MIRAI"
		$plain2 = "MIRAI: applet not found"
		$plain3 = "TSource Engine Query"
		$plain4 = "/dev/misc/watchdog"
		// Passwords and words of its table, xor 0x22
		$table1 = { 5a 41 11 17 13 13 }             // "xc3511"
		$table2 = { 54 4b 58 5a 54 }                // "vizxv"
		$table3 = { 4e 4b 51 56 47 4c 4b 4c 45 }    // "listening"
		$table4 = { 43 52 52 4e 47 56 02 4c 4d 56 02 44 4d 57 4c 46 } // "applet not found"
	condition:
		any of ($plain1, $plain2) or ($plain3 and $plain4) or 3 of ($table*) or $table4
}

rule miner
{
	meta:
		description = "A program that works for somebody else's purse"
	strings:
		$a = "stratum+tcp://"
		$b = "stratum+ssl://"
		$c = "donate.v2.xmrig.com"
		$d = "\"rig-id\""
		$e = "cryptonight" nocase
		$f = "randomx" nocase
	condition:
		$c or (any of ($a, $b) and any of ($d, $e, $f))
}

rule backdoor_word
{
	meta:
		description = "A word that opened devices of well-known makers to everybody"
	strings:
		$dlink = "xmlset_roodkcableoj28840ybtide"
		$sercomm = { 53 63 4d 4d ff ff ff ff }
		$tcp32764 = "tcp_32764" nocase
		$quectel = "AT+QLINUXCMD" nocase
		$zyxel = "PrOw!aN_fXp"
	condition:
		any of them
}

rule updater_that_reports_home
{
	meta:
		description = "A server of update services that took contacts, messages or commands of millions of devices (Adups, Ragentek)"
	strings:
		$a1 = "bigdata.adups.com"
		$a2 = "bigdata.adsunflower.com"
		$a3 = "bigdata.adfuture.cn"
		$a4 = "bigdata.advmob.cn"
		$a5 = "rebootv5.adsunflower.com"
		$b1 = "oyag.lhzbdvm.com"
		$b2 = "oyag.prugskh.net"
		$b3 = "oyag.prugskh.com"
	condition:
		any of them
}

rule liblzma_backdoor
{
	meta:
		description = "The code that xz 5.6.0 and 5.6.1 put into liblzma (CVE-2024-3094)"
	strings:
		$code = { f3 0f 1e fa 55 48 89 f5 4c 89 ce 53 89 fb 81 e7 00 00 00 80 48 83 ec 28 48 89 54 24 18 48 89 4c 24 10 }
	condition:
		$code
}

rule hides_in_every_program
{
	meta:
		description = "A library that has itself loaded into every program and stands between them and folders or logins"
	strings:
		$preload = "/etc/ld.so.preload"
		$real = "dlsym"
		$list1 = "readdir"
		$list2 = "getdents"
		$in1 = "pam_authenticate"
		$in2 = "pam_get_item"
		$in3 = "accept"
		$net = "/proc/net/tcp"
	condition:
		uint32be(0) == 0x7f454c46 and $preload and $real and 1 of ($list*) and ($net or 1 of ($in*))
}

rule kernel_module_that_hides
{
	meta:
		description = "A module that replaces system calls of the kernel"
	strings:
		$mod = "vermagic="
		$table = "sys_call_table"
		$calls1 = "getdents"
		$calls2 = "kallsyms_lookup_name"
		$calls3 = "tcp4_seq_show"
		$calls4 = "ftrace_set_filter_ip"
	condition:
		uint32be(0) == 0x7f454c46 and $mod and ($table or $calls4) and 2 of ($calls*)
}

rule web_shell
{
	meta:
		description = "A page that runs what a request brings"
	strings:
		$php1 = /(eval|assert|system|passthru|shell_exec)\s{0,4}\(\s{0,4}(base64_decode\s{0,4}\(\s{0,4})?\$_(GET|POST|REQUEST|COOKIE)\[/
		$jsp = /Runtime\.getRuntime\(\)\.exec\(\s{0,4}request\.getParameter\(/
		$cgi = /eval ["'`]?\$\(?(echo )?"?\$?QUERY_STRING/
		$lua = /(os\.execute|io\.popen)\(\s{0,4}(ngx\.var|luci\.http\.formvalue)/
	condition:
		any of them
}

rule program_in_a_text
{
	meta:
		description = "A program wrapped in a text, as scripts carry what they leave behind"
	strings:
		$elf64 = /f0VMRg[EI][BC]AQ[A-Za-z0-9+\/]{120}/
		$hex = /\\x7f(\\x45\\x4c\\x46|ELF)(\\x[0-9a-f]{2}){40}/
		$script = /echo ["']?IyEvYmlu[A-Za-z0-9+\/=]{40,400}["']? ?\| ?(base64|openssl)/
	condition:
		any of them
}

rule packed_program
{
	meta:
		description = "A program that unpacks itself: what it does cannot be read off it"
		severity = "notice"
	strings:
		$upx = "UPX!"
		$said = "This file is packed with the UPX executable packer"
		$url = "http://upx.sf.net"
	condition:
		uint32be(0) == 0x7f454c46 and ($said or $url or #upx > 1)
}

rule published_signing_key
{
	meta:
		description = "A public key whose private half anybody can download: who trusts it trusts everybody"
	strings:
		// First 16 bytes of modulus or point, as in certificates; moduli also with the lowest byte first
		$mcuboot_p256 = { 2a cb 40 3c e8 fe ed 5b a4 49 95 a1 a9 1d ae e8 }
		$mcuboot_rsa2048 = { d1 06 08 1a 18 44 2c 18 e8 fb fd f7 0d a3 4f 1f }
		$mcuboot_ed25519 = { d4 b3 1b a4 9a 3a dd 3f 82 5d 10 ca 7f 31 b5 0b }
		$esp32_1 = { b6 f9 d2 ec 93 e5 e6 11 9f 03 42 24 b3 69 50 9b }
		$esp32_1le = { 2b fc 95 a3 31 bf 18 f5 33 01 a5 99 06 2e cc 88 }
		$esp32_2 = { b0 cf 19 1e 5b 56 03 c0 5f a4 21 f5 fb 1a e6 ba }
		$esp32_2le = { e9 87 2a 54 cf d5 2d 13 ee c8 82 77 20 cd 3a 0b }
		$esp32_4 = { a5 8f b2 19 c1 39 b3 48 5e 71 f8 0c b8 88 af e6 }
		$esp32_4le = { 5d cd 82 d2 24 e1 f2 fd b3 a9 e0 0d 89 95 43 09 }
		$suit = { 84 96 81 1a ae 0b aa ab d2 61 57 18 9e ec da 26 }
		$android_1 = { d6 93 19 04 de c6 0b 24 b1 ed c7 62 e0 d9 d8 25 }
		$android_1le = { 1f e9 fe 6a 5b 1d a3 7f 17 b2 a0 38 ae 9b df 99 }
		$android_2 = { bb c5 b0 30 df 71 e0 cc fb 62 09 06 da ac bd 83 }
		$android_2le = { 1f db 78 11 55 0e 5d bf 65 a1 93 33 87 c2 f4 0e }
	condition:
		any of them
}
