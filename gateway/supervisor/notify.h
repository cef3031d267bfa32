/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify - tells the service manager how we are (sd_notify(3), documented
 * protocol: one datagram of KEY=value lines to $NOTIFY_SOCKET). Own, because the
 * process that holds all authority then maps one library less. Without a service
 * manager every call does nothing.
 */
#ifndef FG_GATEWAY_SUPERVISOR_NOTIFY_H
#define FG_GATEWAY_SUPERVISOR_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;               /* connected datagram socket; -1: nobody listens */
	int64_t watchdog_ms;  /* a sign of life is due this often; 0: none is asked for */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the
 * environment, so that no role can speak for us.
 */
void notify_open(struct notify *n);
/* Sends the lines; a lost datagram is nobody's emergency. */
void notify_send(const struct notify *n, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void notify_close(struct notify *n);

#endif
