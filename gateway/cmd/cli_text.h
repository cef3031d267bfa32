/* SPDX-License-Identifier: Apache-2.0 */
/* cli_text - files that every export carries, inside the program: cmd/embed.cmake makes them from gateway/audit. */
#ifndef FG_GATEWAY_CMD_CLI_TEXT_H
#define FG_GATEWAY_CMD_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t cli_text_verify_md[];
extern const size_t cli_text_verify_md_n;
extern const uint8_t cli_text_verify40_py[];
extern const size_t cli_text_verify40_py_n;
extern const uint8_t cli_text_base40_py[];
extern const size_t cli_text_base40_py_n;
extern const uint8_t cli_text_files40_py[];
extern const size_t cli_text_files40_py_n;
extern const uint8_t cli_text_people40_py[];
extern const size_t cli_text_people40_py_n;
extern const uint8_t cli_text_policy40_py[];
extern const size_t cli_text_policy40_py_n;
extern const uint8_t cli_text_releases40_py[];
extern const size_t cli_text_releases40_py_n;
extern const uint8_t cli_text_rollouts40_py[];
extern const size_t cli_text_rollouts40_py_n;
extern const uint8_t cli_text_served40_py[];
extern const size_t cli_text_served40_py_n;
extern const uint8_t cli_text_standing40_py[];
extern const size_t cli_text_standing40_py_n;
extern const uint8_t cli_text_glass40_py[];
extern const size_t cli_text_glass40_py_n;

#endif
