#include "console/cli/verb_tools.h"

#include "common/catalog/manual.h"
#include "common/json/json_catalog.h"
#include "console/render/table.h"

static void add_flavours(const struct tool *t, struct buf *out) {
    for (size_t i = 0; i < t->n_flavours; i++) {
        if (!t->flavours[i].binaries[0]) continue;
        if (out->n) buf_add_char(out, ' ');
        buf_add_str(out, catalog_flavour_name(t->flavours[i].id));
    }
}

static int print_list(const struct args *a) {
    static const struct table_column columns[] = {{"TOOL", TABLE_LEFT}, {"RESULT", TABLE_LEFT}, {"FLAVOURS", TABLE_LEFT}, {"MEASURES", TABLE_WRAP}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return EXIT_FAILED;
    struct screen s = screen_on(stdout);
    struct buf flavours;
    buf_init(&flavours, 0);
    for (int i = TOOL_NONE + 1; i < TOOL__COUNT; i++) {
        const struct tool *tool = catalog_tool((enum tool_id)i);
        buf_reset(&flavours);
        add_flavours(tool, &flavours);
        table_row(t);
        table_cell_str(t, tool->name);
        table_cell_str(t, capture_kind_name(tool->kind));
        table_cell(t, buf_span(&flavours));
        table_cell_str(t, tool->summary);
    }
    buf_done(&flavours);
    enum err e = a->output == OUTPUT_CSV ? table_print_csv(t, stdout) : table_print(t, &s);
    return e ? EXIT_FAILED : EXIT_OK;
}

static void print_parameters(const struct tool *t) {
    fputs("\nparameters\n", stdout);
    for (int id = PARAM_NONE + 1; id < PARAM__COUNT; id++) {
        const struct param_info *info = catalog_param((enum param_id)id);
        struct buf in;
        buf_init(&in, 0);
        for (size_t i = 0; i < t->n_flavours; i++)
            for (size_t p = 0; p < t->flavours[i].n_params; p++)
                if (t->flavours[i].params[p].id == (enum param_id)id) buf_add_fmt(&in, " %s", catalog_flavour_name(t->flavours[i].id));
        if (in.n > 0) {
            char left[48];
            snprintf(left, sizeof left, "--%s%s%s", info->name, info->type == PARAM_TYPE_FLAG ? "" : " ",
                     info->type == PARAM_TYPE_FLAG ? "" : info->unit && info->unit[0] ? info->unit : "VALUE");
            printf("  %-26s %s (%s)\n", left, info->help, buf_str(&in) + 1);
        }
        buf_done(&in);
    }
}

static void print_flavours(const struct tool *t) {
    fputs("\nflavours\n", stdout);
    for (size_t i = 0; i < t->n_flavours; i++) {
        const struct flavour *f = &t->flavours[i];
        printf("  %-8s", catalog_flavour_name(f->id));
        if (!f->binaries[0]) {
            puts(" its print-outs are read by trawl parse; it is not run");
            continue;
        }
        for (size_t b = 0; b < COUNT_OF(f->binaries) && f->binaries[b]; b++) printf("%s%s", b ? " or " : " ", f->binaries[b]);
        printf(", %s\n", f->end == END_BY_ARGV ? "ends by itself" : "is told to stop");
        if (f->capabilities_why) printf("           %s\n", f->capabilities_why);
    }
}

static int print_json(const struct tool *only) {
    struct buf text;
    buf_init(&text, 0);
    enum err e = json_catalog(only, &text);
    if (!e) fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    return e ? EXIT_FAILED : EXIT_OK;
}

static int print_markdown(void) {
    struct buf text;
    buf_init(&text, 0);
    enum err e = manual_table(&text);
    if (!e) fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    return e ? EXIT_FAILED : EXIT_OK;
}

int verb_tools(const struct args *a) {
    const struct tool *t = a->n_words ? catalog_find(span_str(a->words[0])) : NULL;
    if (a->n_words && !t) {
        args_complain("tools", "there is no tool \"%s\"; trawl tools lists them", a->words[0]);
        return EXIT_USAGE;
    }
    if (a->markdown) return print_markdown();
    if (a->output == OUTPUT_JSON) return print_json(t);
    if (!t) return print_list(a);
    printf("%s: %s\n\n%s\n", t->name, t->summary, t->reading ? t->reading : "");
    print_parameters(t);
    print_flavours(t);
    printf("\nexample\n  trawl run %s --for 10s\n", t->name);
    return EXIT_OK;
}
