/* Folding and the gazetteer: folding UTF-8 twice is folding it once; a search by any bytes finds cities that
 * can be found by their ids; any record's name gets a city of its own country, or keeps its name. */
#include "fuzz.h"

#include "place/fold.h"
#include "place/gazetteer.h"

static bool is_utf8(const char *bytes, size_t size)
{
    uint32_t point;
    for (size_t length; size > 0; bytes += length, size -= length)
        if (!(length = text_utf8(bytes, size, &point)))
            return false;
    return true;
}

static void check_search(const struct gazetteer *gazetteer, const char *query)
{
    struct city found[GAZETTEER_FOUND_MAX], same;
    size_t count = gazetteer_search(gazetteer, query, "IN", "hi", found, GAZETTEER_FOUND_MAX);
    PROPERTY(count <= GAZETTEER_FOUND_MAX);
    for (size_t i = 0; i < count; i++) {
        PROPERTY(is_clean(found[i].name) && gazetteer_by_id(gazetteer, found[i].id, "hi", &same));
        PROPERTY(memcmp(&same.id, &found[i].id, sizeof same.id) == 0 &&
                 strcmp(same.name, found[i].name) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gazetteer *gazetteer;
    char query[256] = "", once[FOLD_BYTES], twice[FOLD_BYTES];
    struct city city;
    if (!gazetteer)
        gazetteer = gazetteer_open();
    size_t length = fold((const char *)data, size, once);
    PROPERTY(length == strlen(once) && length < sizeof once);
    if (is_utf8((const char *)data, size)) /* else what is left of a mark that goes may make another */
        PROPERTY(fold(once, length, twice) == length && strcmp(once, twice) == 0);
    double latitude = size > 0 ? data[0] * 180.0 / 255 - 90 : 0;
    double longitude = size > 1 ? data[1] * 360.0 / 255 - 180 : 0;
    take_string(&data, &size, '\0', query, sizeof query);
    PROPERTY(gazetteer_strip_qualifier(query) <= strlen(query));
    if (gazetteer_name_point(gazetteer, latitude, longitude, "IN", "", query, "en", &city))
        PROPERTY(strcmp(city.country, "IN") == 0 && is_clean(city.name));
    check_search(gazetteer, query);
    return 0;
}
