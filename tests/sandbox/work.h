/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work - each role's ordinary work in small, done inside its jail with the
 * libraries the role uses, so that the tables are tested for being enough.
 */
#ifndef FG_TESTS_SANDBOX_WORK_H
#define FG_TESTS_SANDBOX_WORK_H

/*
 * args: role, world's directory, port, root (1 or 0), dns (1 or 0). Prepares what a role
 * has before its jail, enters the jail, works. An exit status: 0, or 1 with the
 * failed line on stderr.
 */
int work_main(char *const *args);

#endif
