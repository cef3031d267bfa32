# SPDX-License-Identifier: Apache-2.0
# embed.cmake - cmake -DTABLE=published-keys.txt -DOUT=published_table.c -P embed.cmake
#
# Turns the table of published keys into C. Every line is checked here, at build
# time, because published.c searches by halves: a line out of order or a digit
# too few would silently hide a key. The output depends on the table alone.

set(hex2 "[0-9a-f][0-9a-f]")
set(last "")
set(rows "")
set(count 0)
set(number 0)

# Read whole and cut by hand: file(STRINGS) would drop empty lines and so the line numbers.
file(READ "${TABLE}" text)
if(NOT text MATCHES "\n$")
	message(FATAL_ERROR "${TABLE}: last line is not ended")
endif()
if(text MATCHES "[^\n -~]|[][;\"\\\\]")
	message(FATAL_ERROR "${TABLE}: only printable ASCII without quotes, backslashes, brackets and semicolons")
endif()
string(REGEX REPLACE "\n$" "" text "${text}")
string(REPLACE "\n" ";" lines "${text}")

foreach(line IN LISTS lines)
	math(EXPR number "${number} + 1")
	if(line MATCHES "^#")
		continue()
	endif()
	if(NOT line MATCHES "^([0-9a-f]+)  ([a-z0-9-]+)  ([^ ].*[^ ])$")
		message(FATAL_ERROR "${TABLE}:${number}: expected hash, two spaces, algorithm, two spaces, where")
	endif()
	set(hash "${CMAKE_MATCH_1}")
	set(algorithm "${CMAKE_MATCH_2}")
	set(where "${CMAKE_MATCH_3}")
	string(LENGTH "${hash}" length)
	if(NOT length EQUAL 64)
		message(FATAL_ERROR "${TABLE}:${number}: a SHA-256 has 64 digits, this has ${length}")
	endif()
	if(NOT hash STRGREATER last)
		message(FATAL_ERROR "${TABLE}:${number}: not in ascending order, or twice")
	endif()
	set(last "${hash}")
	string(REGEX REPLACE "(${hex2})" "0x\\1, " bytes "${hash}")
	string(STRIP "${bytes}" bytes)
	string(APPEND rows "\t{ { ${bytes} },\n\t    \"${algorithm}\", \"${where}\" },\n")
	math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
	message(FATAL_ERROR "${TABLE}: empty")
endif()

file(WRITE "${OUT}.new" "/* Made from crypto/published-keys.txt by crypto/embed.cmake. */
#include \"crypto/published_table.h\"

const struct published_key published_table[] = {
${rows}};

const size_t published_table_n = ${count};
")
file(RENAME "${OUT}.new" "${OUT}")
