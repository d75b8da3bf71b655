#include "console/cli/verb_watch.h"

#include "console/cli/follow.h"
#include "console/cli/verb_fleet.h"

int verb_watch(const struct args *a) {
    struct ask k;
    bool ended = ask_open(&k, "watch") && follow_campaign(&k, a->words[0], false);
    ask_close(&k);
    return ended ? verb_fleet_show(a) : EXIT_FAILED;
}
