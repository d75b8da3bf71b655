/* sd_notify without libsystemd: "READY=1" to $NOTIFY_SOCKET (path or abstract); nothing when it is unset. */
#pragma once
void notify_send(const char *state);
