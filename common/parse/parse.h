/* Print-out → capture.  Four grammars (histogram, table, stacks, JSON lines) and the notices around them.
 * Pure: no clocks, sockets, logs, globals.  Never reads past the span, always advances, never recurses.
 * TOOLS.md (5) and (6) are the source of every format. */
#pragma once

#include "common/model/capture.h"

enum {
    PARSE_COLUMNS_MAX = 32,     /* of one table */
    PARSE_LEFTOVER_BYTES = 4096 /* what is kept of lines that no grammar understood */
};

enum grammar { GRAMMAR_HISTOGRAM, GRAMMAR_TABLE, GRAMMAR_STACKS, GRAMMAR_JSON };

/* How a table's column is told apart.  Rows are split from the left up to the first COMM-like column and from the right
 * behind it, because only such a column may contain blanks; a last column with to_end takes the rest of the line. */
struct parse_column {
    const char *name; /* as the header prints it, without open, close and before: "LAT(ms)" */
    enum column_type type;
    const char *unit;   /* "ms"; NULL when none; with "%" a cell may end in one */
    bool blanks;        /* may contain blanks (COMM, PCOMM) */
    bool to_end;        /* takes the rest of the line, blanks included (ARGS, FILENAME) */
    unsigned width;     /* least width the tool pads it to, its separator included; 0: as the header shows */
    bool glued;         /* a cell that fills its width is followed by the next one without a blank between */
    unsigned decimals;  /* glued: behind the point; GRAMMAR_JSON: the number is in units of 10^-decimals */
    bool pair;          /* GRAMMAR_JSON: two elements, "10.9.0.1", 80, make the cell "10.9.0.1:80" */
    unsigned most;      /* to_end and blanks: the longest cell that can be; 0: any length */
    const char *one_of; /* the cell is one of these letters */
    bool optional;      /* one_of: may be missing */
    const char *before; /* a word that may stand before the name and the cell and belongs to neither: "->" */
    const char *open, *close; /* printed around the name and the cell and not part of it: "(ACK)", "R>" */
};

/* One per catalogue row.  Columns are found by the header that the print-out shows: those present, in its order; or by a
 * header with commas between, and then so are the rows. */
struct parse_spec {
    enum grammar grammar;
    const struct parse_column *columns; /* GRAMMAR_TABLE: every column the tool can print; GRAMMAR_JSON: those of a tuple, in order;
                                         * GRAMMAR_HISTOGRAM: those of the table
                                         * that it prints with other options, which then makes events */
    size_t n_columns;
    const char *stacks_unit; /* GRAMMAR_STACKS, and JSON that holds stacks: "usecs" or "samples" */
    const char *section_key; /* GRAMMAR_JSON: of a map of histograms, what its keys are: "Process Name" */
    bool linear;             /* GRAMMAR_JSON: its histograms are (bpftrace 0.17 says "hist" of both kinds) */
    bool blocks;             /* GRAMMAR_STACKS: never folded */
    bool missed_aside;       /* "[Missed User Stack]" comes on stderr, so among the stacks it is no frame */
    bool histogram_clamps;   /* the last slot that can be printed means "and above" … */
    uint64_t clamp_low;      /* … and this is its low end */
    bool multiline_last;     /* a to_end column may hold raw newlines (execsnoop ARGS) */
    bool trailing_blank;     /* the tool ends a row with one blank that is not data (libbpf execsnoop) */
    bool interval_tables;    /* a table for each interval: its mark, or its number, becomes the first column */
    bool row_stacks;         /* indented lines below a row are its stack, leaf first (tcpdrop) */
    bool comm_lines;         /* the tool prints names of tasks with a newline (bcc's cpudist) */
    bool occupancy;          /* "runqocc: 12.34%" lines instead of histograms (runqlen -O) */
    const char *limits;      /* what the numbers cannot tell: a note in every result */
    bool dicts;              /* a Python dictionary in a line for each histogram (biolatency -j) */
};

struct parse_input {
    struct span out, err; /* what came on stdout and stderr */
    bool cut;             /* out was cut (by the cap or by killing the tool) */
    bool apart;           /* out is stdout alone.  Losses and tracebacks are told on stderr, so a line of out that reads like one is what a
                           * task made the tool print, and is not believed */
};

/* Fills *out (tool and flavour are the caller's).  Nothing in it points into the input.  A print-out that no grammar
 * understands is not an error: it makes a capture with leftover, ledger.parse and a note; a tool's own failure makes
 * capture.failed and a note.  A last line without '\n' is never taken for a table's row or a stack: its end may be missing.
 * Errors: ERR_NOMEM over mem's budget (then *out is untouched). */
NODISCARD enum err parse_output(const struct parse_spec *spec, const struct parse_input *in, struct arena *mem, struct capture *out);
