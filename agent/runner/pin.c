#include "agent/runner/pin.h"

#include <dirent.h>

#include "agent/runner/verify.h"
#include "common/crypto/digest.h"

#define PROGRAM_DIR "/usr/share/trawl/bpftrace"

static enum err add_pin(const char *path, int fd, struct buf *out) {
    char line_end[TRUST_PATH_BYTES + 4];
    unsigned char digest[DIGEST_BYTES];
    snprintf(line_end, sizeof line_end, "  %s\n", path);
    if (span_find_span(buf_span(out), span_str(line_end)) < out->n) return ERR_OK; /* python3 is many tools' */
    enum err e = digest_fd(fd, digest);
    if (e) return e;
    for (size_t i = 0; i < DIGEST_BYTES; i++) buf_add_fmt(out, "%02x", digest[i]);
    buf_add_str(out, line_end);
    return buf_failed(out);
}

/* Once: flavours look for files of one name. */
static void complain(struct buf *what, struct buf *why) {
    buf_add_char(what, '\n');
    struct span line = buf_span(what);
    if (span_find_span(buf_span(why), line) == why->n) buf_add(why, line);
}

static enum err add_tool(const struct policy *p, const struct flavour *f, struct buf *out, struct buf *why) {
    struct verified v;
    struct buf what;
    if (!f->binaries[0]) return ERR_OK;
    buf_init(&what, 1024);
    enum err e = verify_tool(p, f, &v, &what);
    if (e == ERR_UNTRUSTED) complain(&what, why);
    buf_done(&what);
    if (e == ERR_UNTRUSTED || e == ERR_NOTFOUND) return ERR_OK;
    if (e) return e;
    e = add_pin(v.path, v.script_fd >= 0 ? v.script_fd : v.exec_fd, out);
    if (!e && v.script_fd >= 0) e = add_pin(v.interpreter, v.exec_fd, out);
    verify_done(&v);
    return e;
}

static enum err add_program(const char *path, struct buf *out, struct buf *why) {
    AUTO_CLOSE int fd = -1;
    char real[TRUST_PATH_BYTES];
    size_t before = why->n;
    enum err e = trust_open(path, &fd, real, why);
    if (e == ERR_UNTRUSTED && why->n > before) buf_add_char(why, '\n');
    return e ? (e == ERR_UNTRUSTED ? ERR_OK : e) : add_pin(path, fd, out);
}

/* In the order of their names, so that two lists can be compared. */
static enum err add_programs(struct buf *out, struct buf *why) {
    struct dirent **names;
    enum err e = ERR_OK;
    int n = scandir(PROGRAM_DIR, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[TRUST_PATH_BYTES];
        snprintf(path, sizeof path, PROGRAM_DIR "/%s", names[i]->d_name);
        if (!e && names[i]->d_name[0] != '.') e = add_program(path, out, why);
        free(names[i]);
    }
    if (n >= 0) free(names);
    return e;
}

enum err pin_installed(const struct policy *p, struct buf *out, struct buf *out_why) {
    static char none[] = "";
    struct policy unpinned = *p;
    enum err e = ERR_OK;
    unpinned.pins = none; /* new ones are wanted because the old ones are wrong */
    for (int t = TOOL_NONE + 1; !e && t < TOOL__COUNT; t++) {
        const struct tool *tool = catalog_tool((enum tool_id)t);
        for (size_t i = 0; !e && i < tool->n_flavours; i++) e = add_tool(&unpinned, &tool->flavours[i], out, out_why);
    }
    return e || p->tool_dir[0] ? e : add_programs(out, out_why);
}
