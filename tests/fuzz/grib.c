/* What a GRIB2 message says about its field: what is read is a field that may be unpacked, and no larger than
 * one. The same of what the child hands on. */
#include "fuzz.h"

#include "grib/field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grib_field field;
    if (!grib_message_read(data, size, &field)) {
        PROPERTY(!grib_message_fault(data, size) && grib_field_valid(&field));
        PROPERTY(grib_field_points(&field) <= (size_t)GRIB_COLUMNS_MAX * GRIB_ROWS_MAX);
    }
    const float *values = grib_field_values(data, size, &field);
    if (values)
        PROPERTY(size == sizeof field + sizeof *values * grib_field_points(&field));
    return 0;
}
