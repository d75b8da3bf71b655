/* A test fleet's CAs and certificates in a folder of their own, made by certs/trawl-certs as a user would.
 * Any failure prints what the script said and aborts the test; without the openssl command the test program exits 77. */
#pragma once

enum { CA_PATH_BYTES = 256, CA_PATHS = 32 };

struct ca {
    char dir[CA_PATH_BYTES];
    char paths[CA_PATHS][CA_PATH_BYTES]; /* what ca_file gave last */
    unsigned next;
};

/* A new temporary folder with both CAs of the fleet. */
void ca_make(struct ca *ca, const char *fleet);
/* Removes the folder. */
void ca_done(struct ca *ca);

/* agents/HOST, collectors/NAME (localhost and 127.0.0.1), operators/NAME: .pem and .key. */
void ca_agent(struct ca *ca, const char *host);
void ca_collector(struct ca *ca, const char *name);
void ca_operator(struct ca *ca, const char *name);
/* file as in ca_file: "agents/web-1.pem". */
void ca_revoke(struct ca *ca, const char *file);
/* Any command of trawl-certs: ca_run(ca, "agent", "web-1", "--not-after", "2021-01-01", NULL). */
void ca_run(struct ca *ca, const char *command, ...) __attribute__((sentinel));

/* DIR/name, "fleet-ca.pem" for one; valid for the next CA_PATHS - 1 calls. */
const char *ca_file(struct ca *ca, const char *name);
