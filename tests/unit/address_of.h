/* Addresses as tests write them. */
#pragma once

#include "unit.h"

#include "visitor/address.h"

/* "" is no address. */
static inline struct address address_of(const char *text)
{
    struct address address = {0};
    if (text[0] && !address_parse(text, strlen(text), &address))
        fail_msg("not an address: %s", text);
    return address;
}
