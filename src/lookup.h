/* `masthead lookup`: the places of addresses, of some or of a log's millions, one after the other. */
#pragma once

#include "place/place.h"

enum lookup_form { LOOKUP_JSON, LOOKUP_PRETTY, LOOKUP_TABLE };

struct lookup {
    struct places *places;
    const char *language;
    enum lookup_form form;
};

/* Looks up each word; where there are none, each line of standard input that is not blank. Prints each result
 * at once: as explain_place writes it, or as a row of a table. What is no address has one, too, that says so,
 * with its line; the others are not lost. Before it waits for more input, all results are with the reader of
 * standard output. Returns an exit status: 0; 1 when input or output fail (printed to standard error); 2 when
 * something was no address, and how much is printed there. */
int lookup_run(const struct lookup *, char *const *words, int word_count);
