/* A display server blocks its renderer while a client reads the picture. The client never says that it is done. */
#include <stdio.h>

#include "unwedge_wait.h"

int main(void) {
    UwBlock *renderer = uw_block_new("renderer", true);
    UwHold copy = uw_block_hold(renderer, "surface copy", uw_bound_secs(60));
    UwHold client = uw_block_hold(renderer, "display client, scanout 1", uw_bound_millis(5));
    if (uw_block_release(renderer, copy) != UW_RESULT_REACHED) {
        return 1;
    }
    /* The client has 5 ms, so the renderer is free after that, whatever the client does. */
    UwResult waited = uw_block_wait_free(renderer, uw_bound_secs(60));
    printf("the renderer is free: %s\n", uw_result_text(waited));
    printf("the client's answer comes at last: %s\n", uw_result_text(uw_block_release(renderer, client)));

    /* Who is to blame is told in each refresh. */
    client = uw_block_hold(renderer, "display client, scanout 1", uw_bound_nanos(0));
    UwHolder late[4];
    size_t count = uw_block_enforce(renderer, late, 4);
    for (size_t index = 0; index < count && index < 4; index++) {
        printf("it has overstayed: %s\n", late[index].name);
    }
    uw_block_free(renderer);
    return 0;
}
