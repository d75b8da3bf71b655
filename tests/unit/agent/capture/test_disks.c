/* Kinds of disks, from a /sys of our making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/capture/disks.h"

static char root[64];

static void at(char path[256], const char *rest) { snprintf(path, 256, "%s/%s", root, rest); }

static void folder(const char *name) {
    char path[256];
    at(path, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void disk(const char *name, const char *flag) {
    char rest[128], path[256];
    snprintf(rest, sizeof rest, "devices/%s", name);
    folder(rest);
    snprintf(rest, sizeof rest, "devices/%s/queue", name);
    folder(rest);
    snprintf(rest, sizeof rest, "devices/%s/queue/rotational", name);
    at(path, rest);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(flag, f);
    fclose(f);
}

static void class(const char *name, const char *device) {
    char rest[128], target[128], path[256];
    snprintf(rest, sizeof rest, "class/block/%s", name);
    snprintf(target, sizeof target, "../../devices/%s", device);
    at(path, rest);
    assert_int_equal(symlink(target, path), 0);
}

static int set_up(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/trawl-disks.XXXXXX");
    if (!mkdtemp(root)) return -1;
    folder("devices");
    folder("class");
    folder("class/block");
    disk("sda", "1\n");
    disk("sdb", "0\n");
    disk("nvme0n1", "0\n");
    disk("vda", "1\n");
    folder("devices/sda/sda1");
    class("sda", "sda");
    class("sda1", "sda/sda1");
    class("sdb", "sdb");
    class("nvme0n1", "nvme0n1");
    class("vda", "vda");
    return 0;
}

static int tear_down(void **state) {
    static const char *const names[] = {"class/block/sda",
                                        "class/block/sda1",
                                        "class/block/sdb",
                                        "class/block/nvme0n1",
                                        "class/block/vda",
                                        "class/block",
                                        "class",
                                        "devices/sda/queue/rotational",
                                        "devices/sda/queue",
                                        "devices/sda/sda1",
                                        "devices/sda",
                                        "devices/sdb/queue/rotational",
                                        "devices/sdb/queue",
                                        "devices/sdb",
                                        "devices/nvme0n1/queue/rotational",
                                        "devices/nvme0n1/queue",
                                        "devices/nvme0n1",
                                        "devices/vda/queue/rotational",
                                        "devices/vda/queue",
                                        "devices/vda",
                                        "devices"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[256];
        at(path, names[i]);
        if (remove(path) != 0) return -1;
    }
    return rmdir(root);
}

static void the_kind_is_the_kernels_word(void **state) {
    (void)state;
    assert_string_equal(disks_kind(root, SPAN_LIT("sda")), "hdd");
    assert_string_equal(disks_kind(root, SPAN_LIT("sda1")), "hdd");
    assert_string_equal(disks_kind(root, SPAN_LIT("sdb")), "ssd");
    assert_string_equal(disks_kind(root, SPAN_LIT("nvme0n1")), "nvme");
    assert_string_equal(disks_kind(root, SPAN_LIT("vda")), "virtual");
    static const struct span none[] = {SPAN_LIT("sdz"), SPAN_LIT(""), SPAN_LIT(".."), SPAN_LIT("../block/sda"), SPAN_LIT("sda\0x")};
    for (size_t i = 0; i < COUNT_OF(none); i++) assert_null(disks_kind(root, none[i]));
}

static void a_histogram_of_a_disk_gets_its_kind(void **state) {
    (void)state;
    struct hist hists[] = {
        {.section = {{SPAN_LIT("disk"), SPAN_LIT("sdb")}}, .n_section = 1},
        {.section = {{SPAN_LIT("disk"), SPAN_LIT("gone")}}, .n_section = 1},
        {.section = {{SPAN_LIT("irq"), SPAN_LIT("sda")}}, .n_section = 1},
        {.section = {{SPAN_LIT("a"), SPAN_LIT("1")},
                     {SPAN_LIT("b"), SPAN_LIT("2")},
                     {SPAN_LIT("c"), SPAN_LIT("3")},
                     {SPAN_LIT("disk"), SPAN_LIT("sda")}},
         .n_section = 4},
    };
    struct hist_set set = {hists, COUNT_OF(hists)};
    disks_name_kinds(root, &set);
    assert_int_equal(hists[0].n_section, 2);
    assert_true(span_eq_str(hists[0].section[1].key, "kind") && span_eq_str(hists[0].section[1].value, "ssd"));
    assert_int_equal(hists[1].n_section, 1);
    assert_int_equal(hists[2].n_section, 1);
    assert_int_equal(hists[3].n_section, 4); /* no room */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_kind_is_the_kernels_word),
                                       cmocka_unit_test(a_histogram_of_a_disk_gets_its_kind)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
