/* Every way in which a call can fail, in one list; and the few macros that make ignoring one visible. */
#pragma once

#include <stddef.h>

#define ERR_LIST(X)                                        \
    X(OK, "success")                                       \
    X(NOMEM, "out of memory or over the memory budget")    \
    X(SYS, "system call failed")                           \
    X(SYNTAX, "input does not follow the format")          \
    X(LIMIT, "input is larger than the limit")             \
    X(REFUSED, "policy does not allow this")               \
    X(AGAIN, "nothing to do now")                          \
    X(GONE, "peer or process is gone")                     \
    X(VERSION, "peer speaks another version")              \
    X(NOTFOUND, "no such thing")                           \
    X(EXISTS, "already there")                             \
    X(UNTRUSTED, "identity or signature does not verify")  \
    X(EXPIRED, "no longer valid")                          \
    X(TIMEOUT, "took longer than allowed")                 \
    X(DAMAGED, "stored data is damaged")

enum err {
#define ERR_ENUM(name, text) ERR_##name,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
        ERR__COUNT
};

#define NODISCARD __attribute__((warn_unused_result))

/* Says that a result is ignored on purpose; a comment beside it says why. */
#define IGNORED(expr) \
    do {              \
        if (expr) {   \
        }             \
    } while (0)

/* "LIMIT", for logs.  Static text. */
const char *err_name(enum err e);
/* "input is larger than the limit", for people.  Static text.  ERR_SYS does not include errno. */
const char *err_text(enum err e);
/* Writes the sentence into why (cut at why_size) and returns e: return err_because(why, why_size, ERR_LIMIT, "at most %d", MAX); */
__attribute__((format(printf, 4, 5))) enum err err_because(char *why, size_t why_size, enum err e, const char *fmt, ...);
