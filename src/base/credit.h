/* A credit line that a licence asks for beside the data: static strings, compared by address. */
#pragma once

struct credit {
    const char *text;
    const char *url;
};
