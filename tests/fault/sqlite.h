/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite - brings the database's files onto the watched disk. Once, before the first database is opened. */
#ifndef FG_TESTS_FAULT_SQLITE_H
#define FG_TESTS_FAULT_SQLITE_H

void sqlite_use_disk(void);

#endif
