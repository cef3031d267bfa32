# SPDX-License-Identifier: Apache-2.0
# embed.cmake - cmake -DDIR=web "-DIN=web/a;web/b" "-DTEXTS=audit/x;audit/y" -DOUT=asset_table.c -P embed.cmake
#
# Turns the web pages into asset_table (asset.h), and beside them, below export/, what every export carries.
# The output depends on names and bytes alone.

set(arrays "")
set(rows "")
set(i 0)
foreach(in IN LISTS IN TEXTS)
	file(RELATIVE_PATH name "${DIR}" "${in}")
	string(REGEX REPLACE "^\\.\\..*/" "export/" name "${name}")
	file(READ "${in}" hex HEX)
	file(SHA256 "${in}" digest)
	string(LENGTH "${hex}" digits)
	if(digits EQUAL 0)
		message(FATAL_ERROR "${in}: empty")
	endif()
	math(EXPR n "${digits} / 2")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "((0x..,){1,20})" "\\1\n" bytes "${bytes}")
	string(APPEND arrays "\nstatic const uint8_t file_${i}[] = {\n${bytes}};\n")
	string(APPEND rows "\t{ \"${name}\", file_${i}, ${n}, \"${digest}\" },\n")
	math(EXPR i "${i} + 1")
endforeach()
file(WRITE "${OUT}.new" "/* Made by gateway/console/embed.cmake. */\n#include \"gateway/console/asset.h\"\n${arrays}\nconst struct asset asset_table[] = {\n${rows}};\nconst size_t asset_table_n = ${i};\n")
file(RENAME "${OUT}.new" "${OUT}")
