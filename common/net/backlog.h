/* nng listens with room for 128 connections that it has not accepted yet, and offers no other number and no descriptor.  When a fleet
 * comes back at once the kernel then drops what it cannot keep, and the dropped try again after 1, 3, 7 s.  Private to common/net. */
#pragma once

/* Find this process's listening socket of this port and listen again, with room for as many as the kernel allows.  Not found: nothing
 * happens, and 128 it is. */
void backlog_widen(int port);
