/* MET Norway's replies; see reply.h. */
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return check_reply(PROVIDER_MET_NORWAY, data, size);
}
