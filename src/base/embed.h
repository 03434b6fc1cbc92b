/* Files embedded in the program's read-only data at compile time. */
#pragma once

/* Declares `name` and `name_end`, the first byte of the file and the one past its last; no NUL follows. Paths
 * are relative to the project's folder, where make runs. The symbols are global: a name is used once. */
#define EMBED(name, file)                                                                          \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #name ", " #name "_end\n" #name ":\n.incbin \"" file "\"\n" #name "_end:\n" \
            ".popsection\n");                                                                      \
    extern const char name[], name##_end[]
