/* A credit line that a licence asks for beside the data: static strings, compared by address. */
#ifndef BASE_CREDIT_H
#define BASE_CREDIT_H

struct credit {
    const char *text;
    const char *url;
};

#endif
