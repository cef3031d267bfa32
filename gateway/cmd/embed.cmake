# SPDX-License-Identifier: Apache-2.0
# embed.cmake - cmake -DIN=a;b -DNAMES=x;y -DOUT=cli_text.c -P embed.cmake
#
# Turns files into byte arrays cli_text_<name>. The output depends on their bytes alone.

set(body "")
foreach(in name IN ZIP_LISTS IN NAMES)
	file(READ "${in}" hex HEX)
	string(LENGTH "${hex}" digits)
	if(digits EQUAL 0)
		message(FATAL_ERROR "${in}: empty")
	endif()
	math(EXPR n "${digits} / 2")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "((0x..,){1,20})" "\\1\n" bytes "${bytes}")
	string(APPEND body "\nconst uint8_t cli_text_${name}[] = {\n${bytes}};\nconst size_t cli_text_${name}_n = ${n};\n")
endforeach()
file(WRITE "${OUT}.new" "/* Made by gateway/cmd/embed.cmake. */\n#include \"gateway/cmd/cli_text.h\"\n${body}")
file(RENAME "${OUT}.new" "${OUT}")
