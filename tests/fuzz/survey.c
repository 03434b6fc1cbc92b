/* A kept survey, its checksum made right: one that is read is of the subject, and is written again as it was.
 */
#include "fuzz.h"

#include "place/survey.c"

static const struct survey_subject subject = {6808, 1795305600, 1795305601};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t storage[1024], again[1024];
    uint8_t *bytes = (uint8_t *)storage;
    struct survey survey;
    struct head head;
    if (size < sizeof head || size > sizeof storage)
        return 0;
    memcpy(bytes, data, size);
    memcpy(&head, bytes, sizeof head);
    head.subject = subject;
    if (head.office_count <= (size - sizeof head) / sizeof(uint64_t))
        head.checksum = checksum(&head, (const uint64_t *)(const void *)(bytes + sizeof head));
    memcpy(bytes, &head, sizeof head);
    FILE *file = fmemopen(bytes, size, "r");
    if (survey_read(&survey, &subject, file)) {
        FILE *out = fmemopen(again, sizeof again, "w");
        PROPERTY(survey.offices.count <= OFFICE_KEYS_MAX && survey_write(&survey, &subject, out));
        fclose(out);
        survey_free(&survey);
    }
    fclose(file);
    return 0;
}
