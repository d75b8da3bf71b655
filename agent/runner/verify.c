#include "agent/runner/verify.h"

#define PROGRAM_DIR "/usr/share/trawl/bpftrace"
#define TOOL_DIRS   "/usr/share/bcc/tools", "/usr/sbin", "/usr/bin", "/sbin", "/snap/bpftrace/current/bin"

static const char *const tool_dirs[] = {TOOL_DIRS};
const char *const verify_dirs[] = {TOOL_DIRS, PROGRAM_DIR, NULL};
/* PATH of a tool's environment (spawn.c), for "#!/usr/bin/env python3". */
static const char *const path_dirs[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

enum { HEAD_BYTES = 256 }; /* as much of a first line as the kernel reads (BINPRM_BUF_SIZE) */

enum file_kind { FILE_ELF, FILE_SCRIPT, FILE_OTHER };

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum err read_head(int fd, char head[HEAD_BYTES], struct span *out) {
    ssize_t n = pread(fd, head, HEAD_BYTES, 0);
    if (n < 0) return ERR_SYS;
    *out = span_of(head, (size_t)n);
    return ERR_OK;
}

static enum file_kind kind_of(struct span head) {
    if (span_starts(head, SPAN_LIT("\177ELF"))) return FILE_ELF;
    return span_starts(head, SPAN_LIT("#!")) ? FILE_SCRIPT : FILE_OTHER;
}

/* path checked, pinned, and an ELF binary. */
static enum err open_interpreter(const struct policy *p, const char *path, struct verified *v, struct buf *why) {
    AUTO_CLOSE int fd = -1;
    char real[TRUST_PATH_BYTES], head[HEAD_BYTES];
    struct span text;
    enum err e = trust_open(path, &fd, real, why);
    if (!e) e = trust_pin(p->pins, path, real, fd, why);
    if (!e) e = read_head(fd, head, &text);
    if (e) return e;
    if (kind_of(text) != FILE_ELF) {
        buf_add_fmt(why, "%s, which interprets %s, is not an ELF binary", path, v->path);
        return ERR_UNTRUSTED;
    }
    snprintf(v->interpreter, sizeof v->interpreter, "%s", path);
    v->python = span_starts(span_str(base_name(real)), SPAN_LIT("python"));
    v->exec_fd = TAKE_FD(fd);
    return ERR_OK;
}

/* "#!/usr/bin/env python3": the word is looked for where PATH of the tool points. */
static enum err open_by_env(const struct policy *p, struct span word, struct verified *v, struct buf *why) {
    for (size_t i = 0; i < COUNT_OF(path_dirs); i++) {
        char path[TRUST_PATH_BYTES];
        if (span_find(word, '/') < word.n || (size_t)snprintf(path, sizeof path, "%s/%.*s", path_dirs[i], (int)word.n, word.p) >= sizeof path)
            break;
        enum err e = open_interpreter(p, path, v, why);
        if (e != ERR_NOTFOUND) return e;
    }
    return ERR_NOTFOUND;
}

static enum err check_interpreter(const struct policy *p, struct span head, struct verified *v, struct buf *why) {
    struct span line, rest = span_drop(head, 2), word;
    char path[TRUST_PATH_BYTES];
    bool whole = span_find(rest, '\n') < rest.n;
    if (!span_line(&rest, &line) || !whole || !span_word(&line, &word) || word.n >= sizeof path) {
        buf_add_fmt(why, "the first line of %s names no interpreter", v->path);
        return ERR_UNTRUSTED;
    }
    snprintf(path, sizeof path, "%.*s", (int)word.n, word.p);
    struct span option = span_trim(line);
    enum err e;
    if (strcmp(base_name(path), "env") == 0) {
        e = open_by_env(p, option, v, why);
    } else if (option.n >= sizeof v->option) {
        buf_add_fmt(why, "the first line of %s is too long", v->path);
        return ERR_UNTRUSTED;
    } else {
        snprintf(v->option, sizeof v->option, "%.*s", (int)option.n, option.p);
        e = open_interpreter(p, path, v, why);
    }
    if (e == ERR_NOTFOUND) buf_add_fmt(why, "the interpreter of %s is not installed", v->path);
    return e;
}

/* v->path checked.  ERR_NOTFOUND: nothing there, or not what the row says (other then says what). */
static enum err try_path(const struct policy *p, const struct flavour *f, struct verified *v, struct buf *other, struct buf *why) {
    AUTO_CLOSE int fd = -1;
    char real[TRUST_PATH_BYTES], head[HEAD_BYTES];
    struct span text;
    enum err e = trust_open(v->path, &fd, real, why);
    if (!e) e = read_head(fd, head, &text);
    if (e) return e;
    enum file_kind kind = kind_of(text), wanted = f->script ? FILE_SCRIPT : FILE_ELF;
    /* A recording may be played by a script in the place of a binary, or the reverse. */
    if (kind == FILE_OTHER || (kind != wanted && !v->replayed)) {
        buf_add_fmt(other, "; %s is %s", v->path, kind == FILE_ELF ? "a binary" : kind == FILE_SCRIPT ? "a script" : "neither a binary nor a script");
        return ERR_NOTFOUND;
    }
    e = trust_pin(p->pins, v->path, real, fd, why);
    if (e) return e;
    if (kind == FILE_ELF) {
        v->exec_fd = TAKE_FD(fd);
        return ERR_OK;
    }
    e = check_interpreter(p, text, v, why);
    if (!e) v->script_fd = TAKE_FD(fd);
    return e == ERR_NOTFOUND ? ERR_UNTRUSTED : e;
}

static void say_where(const struct flavour *f, const char *const *dirs, size_t n_dirs, struct span other, struct buf *why) {
    if (!f->binaries[0]) {
        buf_add_fmt(why, "what %s prints is understood, but no agent runs it", catalog_flavour_name(f->id));
        return;
    }
    buf_add_str(why, "not installed (looked for ");
    for (size_t i = 0; i < COUNT_OF(f->binaries) && f->binaries[i]; i++) {
        if (i) buf_add_str(why, ", ");
        buf_add_str(why, f->binaries[i]);
    }
    buf_add_str(why, " in ");
    for (size_t i = 0; i < n_dirs; i++) {
        if (i) buf_add_str(why, ", ");
        buf_add_str(why, dirs[i]);
    }
    buf_add_char(why, ')');
    buf_add(why, other);
}

enum err verify_program(const struct policy *p, const char *path, struct verified *out, struct buf *out_why) {
    AUTO_CLOSE int fd = -1;
    char real[TRUST_PATH_BYTES];
    enum err e = trust_open(path, &fd, real, out_why);
    if (!e) e = trust_pin(p->pins, path, real, fd, out_why);
    if (e == ERR_NOTFOUND) buf_add_fmt(out_why, "%s is not installed", path);
    if (!e) out->program_fd = TAKE_FD(fd);
    return e;
}

/* A recording needs no program to be played. */
static enum err open_program(const struct policy *p, const struct flavour *f, struct verified *v, struct buf *why) {
    char path[TRUST_PATH_BYTES];
    if (!f->program || v->replayed) return ERR_OK;
    snprintf(path, sizeof path, PROGRAM_DIR "/%s", f->program);
    return verify_program(p, path, v, why);
}

enum err verify_tool(const struct policy *p, const struct flavour *f, struct verified *out, struct buf *out_why) {
    const char *own_dir[] = {p->tool_dir};
    bool replayed = p->tool_dir && p->tool_dir[0];
    const char *const *dirs = replayed ? own_dir : tool_dirs;
    size_t n_dirs = replayed ? 1 : COUNT_OF(tool_dirs);
    struct buf other;
    buf_init(&other, 512);
    enum err e = ERR_NOTFOUND;
    for (size_t i = 0; e == ERR_NOTFOUND && i < COUNT_OF(f->binaries) && f->binaries[i]; i++)
        for (size_t d = 0; e == ERR_NOTFOUND && d < n_dirs; d++) {
            struct verified v = {.exec_fd = -1, .script_fd = -1, .program_fd = -1, .replayed = replayed};
            if ((size_t)snprintf(v.path, sizeof v.path, "%s/%s", dirs[d], f->binaries[i]) >= sizeof v.path) continue;
            e = try_path(p, f, &v, &other, out_why);
            if (!e) *out = v;
            else verify_done(&v);
        }
    if (e == ERR_NOTFOUND) say_where(f, dirs, n_dirs, buf_span(&other), out_why);
    if (!e) {
        e = open_program(p, f, out, out_why);
        if (e) verify_done(out);
    }
    buf_done(&other);
    return e;
}

void verify_done(struct verified *v) {
    if (v->exec_fd >= 0) close(v->exec_fd);
    if (v->script_fd >= 0) close(v->script_fd);
    if (v->program_fd >= 0) close(v->program_fd);
    v->exec_fd = v->script_fd = v->program_fd = -1;
}
