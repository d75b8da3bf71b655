#include "console/cli/verb_merge.h"

#include "console/cli/bundles.h"
#include "console/cli/show.h"

int verb_merge(const struct args *a) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct bundle_answer b;
    if (!mem || !bundles_read(a->words[0], a->trust, mem, &b)) return EXIT_FAILED;
    fprintf(stderr, "%s: %zu parts of %zu hosts merged to the same %zu bytes; ", a->words[0], b.parts, b.hosts, b.bytes);
    if (b.signer[0])
        fprintf(stderr, "the order is signed by %s\n", b.signer);
    else
        fputs("who signed the order was not looked at (--trust operators-ca.pem)\n", stderr);
    enum err e = show_print(&b.answer, a, b.kind);
    if (!e) return ask_exit_code(&b.answer.info);
    args_complain("merge", "%s", err_text(e));
    return EXIT_FAILED;
}
