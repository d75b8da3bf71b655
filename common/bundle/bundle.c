#include "common/bundle/bundle.h"

#include "common/crypto/digest.h"

#define MAGIC   SPAN_LIT("trawl bundle ")
#define VERSION 1
enum { HEX_BYTES = 2 * DIGEST_BYTES, HEAD_BYTES = BUNDLE_NAME_BYTES + HEX_BYTES + 32 };

static enum err hex_digest(struct span s, char out[HEX_BYTES + 1]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[DIGEST_BYTES];
    enum err e = digest_bytes(s, sum);
    if (e) return e;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[HEX_BYTES] = '\0';
    return ERR_OK;
}

static bool is_name(struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._:-", c));
        if (!good) return false;
    }
    return s.n > 0 && s.n <= BUNDLE_NAME_BYTES;
}

/* ---- writing ---- */
enum err bundle_begin(struct buf *out) {
    buf_add(out, MAGIC);
    buf_add_fmt(out, "%d\n", VERSION);
    return buf_failed(out);
}

enum err bundle_add(struct buf *out, struct span name, struct span bytes) {
    char hex[HEX_BYTES + 1];
    if (!is_name(name)) return name.n > BUNDLE_NAME_BYTES ? ERR_LIMIT : ERR_SYNTAX;
    enum err e = hex_digest(bytes, hex);
    if (e) return e;
    buf_add(out, name);
    buf_add_fmt(out, " %zu %s\n", bytes.n, hex);
    buf_add(out, bytes);
    buf_add_char(out, '\n');
    return buf_failed(out);
}

enum err bundle_end(struct buf *out) {
    char hex[HEX_BYTES + 1];
    enum err e = buf_failed(out) ? buf_failed(out) : hex_digest(buf_span(out), hex);
    if (e) return e;
    buf_add_fmt(out, "end 0 %s\n", hex);
    return buf_failed(out);
}

/* ---- reading ---- */
static enum err fault(struct bundle_fault *f, enum err e, size_t at, struct span name, const char *what) {
    *f = (struct bundle_fault){at, name, what};
    return e;
}

/* Only as bundle_add writes it: whatever is read is written again to the same bytes. */
static bool read_number(struct span s, uint64_t *out) { return span_u64(s, out) && (s.n == 1 || s.p[0] != '0'); }

enum err bundle_open(struct span whole, struct bundle *b, struct bundle_fault *out_fault) {
    struct span rest = whole, line;
    uint64_t version = 0;
    if (!span_starts(whole, MAGIC) || !span_line(&rest, &line) || !read_number(span_drop(line, MAGIC.n), &version))
        return fault(out_fault, ERR_SYNTAX, 0, SPAN_LIT(""), "it is not a bundle of trawl");
    if (version != VERSION) return fault(out_fault, ERR_VERSION, 0, SPAN_LIT(""), "it is of a newer trawl");
    *b = (struct bundle){whole, whole.n - rest.n};
    return ERR_OK;
}

/* NAME SIZE DIGEST */
static bool read_head(struct span line, struct span *out_name, uint64_t *out_size, struct span *out_hex) {
    struct span rest, size;
    return span_cut(line, ' ', out_name, &rest) && span_cut(rest, ' ', &size, out_hex) && is_name(*out_name) && read_number(size, out_size) &&
           out_hex->n == HEX_BYTES;
}

static enum err check(struct bundle *b, size_t at, struct span name, struct span bytes, struct span hex, struct bundle_fault *f) {
    char have[HEX_BYTES + 1];
    enum err e = hex_digest(bytes, have);
    if (e) return e;
    if (!span_eq_str(hex, have)) return fault(f, ERR_DAMAGED, at, name, "its bytes are not those that were written");
    b->at = at;
    return ERR_OK;
}

enum err bundle_next(struct bundle *b, struct bundle_piece *out, struct bundle_fault *out_fault) {
    size_t begin = b->at;
    struct span rest = span_drop(b->whole, begin), line, name, hex;
    uint64_t size = 0;
    size_t end_of_line = span_find(span_head(rest, HEAD_BYTES), '\n');
    if (end_of_line >= rest.n || end_of_line >= HEAD_BYTES) return fault(out_fault, ERR_SYNTAX, begin, SPAN_LIT(""), "it is cut off here");
    line = span_head(rest, end_of_line);
    rest = span_drop(rest, end_of_line + 1);
    if (!read_head(line, &name, &size, &hex)) return fault(out_fault, ERR_SYNTAX, begin, SPAN_LIT(""), "here is no head of a piece");
    if (span_eq_str(name, "end")) {
        if (size || rest.n) return fault(out_fault, ERR_SYNTAX, begin, name, "something is behind its end");
        enum err e = check(b, begin, name, span_head(b->whole, begin), hex, out_fault);
        return e ? e : ERR_AGAIN;
    }
    if (size >= rest.n || rest.p[size] != '\n') return fault(out_fault, ERR_SYNTAX, begin, name, "it is cut off in this piece");
    *out = (struct bundle_piece){name, span_head(rest, (size_t)size)};
    size_t next = begin + end_of_line + 1 + (size_t)size + 1;
    enum err e = check(b, begin, name, out->bytes, hex, out_fault);
    if (!e) b->at = next;
    return e;
}
