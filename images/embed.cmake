# SPDX-License-Identifier: Apache-2.0
# embed.cmake - cmake -DIN=yarascan.yar -DOUT=yarascan_text.c -P embed.cmake
#
# Turns the shipped rules into the array of yarascan_text.h. The output depends on their bytes alone.

file(READ "${IN}" hex HEX)
string(LENGTH "${hex}" digits)
if(digits EQUAL 0)
	message(FATAL_ERROR "${IN}: empty")
endif()
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "((0x..,){1,20})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUT}.new" "/* Made by images/embed.cmake from yarascan.yar. */
#include \"images/yarascan_text.h\"

const uint8_t yarascan_text[] = {
${bytes}0x00 };
")
file(RENAME "${OUT}.new" "${OUT}")
