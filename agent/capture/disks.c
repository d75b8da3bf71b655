#include "agent/capture/disks.h"

#include <unistd.h>

#include "common/base/buf.h"
#include "common/sys/fds.h"

enum { PATH_BYTES = 256, NAME_BYTES = 64, FLAG_BYTES = 16 };

/* "1" in a file; of a partition the file is its disk's. */
static bool is_rotational(const char *sys, const char *name, bool *out) {
    static const char *const ups[] = {"", "/.."};
    for (size_t i = 0; i < COUNT_OF(ups); i++) {
        char path[PATH_BYTES];
        struct buf text;
        buf_init(&text, FLAG_BYTES);
        snprintf(path, sizeof path, "%s/class/block/%s%s/queue/rotational", sys, name, ups[i]);
        bool found = fds_read_file(path, &text) == ERR_OK && text.n > 0;
        if (found) *out = text.p[0] == '1';
        buf_done(&text);
        if (found) return true;
    }
    return false;
}

static bool is_plain(struct span name) {
    if (name.n == 0 || name.n >= NAME_BYTES || name.p[0] == '.') return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '/' || name.p[i] == '\0') return false;
    return true;
}

const char *disks_kind(const char *sys, struct span name) {
    char text[NAME_BYTES];
    bool rotates = false;
    if (!is_plain(name)) return NULL;
    snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
    if (!is_rotational(sys, text, &rotates)) return NULL;
    if (span_starts(name, SPAN_LIT("nvme"))) return "nvme";
    /* virtio and Xen say that they rotate, whatever is behind them */
    if (span_starts(name, SPAN_LIT("vd")) || span_starts(name, SPAN_LIT("xvd"))) return "virtual";
    return rotates ? "hdd" : "ssd";
}

void disks_name_kinds(const char *sys, struct hist_set *hists) {
    for (size_t i = 0; i < hists->n; i++) {
        struct hist *h = &hists->hists[i];
        const char *kind = NULL;
        for (size_t k = 0; k < h->n_section && !kind; k++)
            if (span_eq_str(h->section[k].key, "disk")) kind = disks_kind(sys, h->section[k].value);
        if (kind && h->n_section < HIST_SECTION_MAX) h->section[h->n_section++] = (struct label){SPAN_LIT("kind"), span_str(kind)};
    }
}
