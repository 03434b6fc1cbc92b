#include "weather/earth/condition.h"

#include <math.h>

#define COVER_MASK       3U
#define RATE_SHIFT       2
#define RATE_MASK        3U
#define FREEZING         0x10U
#define COVER_KNOWN      0x20U
#define RATE_KNOWN       0x40U
#define PARTLY           2U
#define SNOW_UP_TO_CDEG  50
#define SLEET_UP_TO_CDEG 150

enum phase { RAIN, SLEET, SNOW, FREEZING_RAIN };

/* How many of three thresholds a value is above. */
static unsigned classify(double value, const double thresholds[3])
{
    unsigned above = 0;
    while (above < 3 && value > thresholds[above])
        above++;
    return above;
}

uint8_t condition_sky(double cover_percent, double rate_mm_h, double freezing)
{
    static const double covers[] = {13, 38, 86}, rates[] = {0.1, 0.25, 0.95};
    unsigned bits = freezing >= 0.5 ? FREEZING : 0;
    if (!isnan(cover_percent))
        bits |= COVER_KNOWN | classify(cover_percent, covers);
    if (!isnan(rate_mm_h))
        bits |= RATE_KNOWN | classify(rate_mm_h, rates) << RATE_SHIFT;
    return (uint8_t)bits;
}

static enum phase phase_at(int temperature_cdeg, bool freezing)
{
    if (freezing && temperature_cdeg <= SLEET_UP_TO_CDEG)
        return FREEZING_RAIN;
    return temperature_cdeg <= SNOW_UP_TO_CDEG ? SNOW : temperature_cdeg <= SLEET_UP_TO_CDEG ? SLEET : RAIN;
}

int condition_code(uint8_t sky, int temperature_cdeg)
{
    static const int steady[][3] = {
        [RAIN] = {61, 63, 65}, [SLEET] = {68, 69, 69}, [SNOW] = {71, 73, 75}, [FREEZING_RAIN] = {66, 67, 67}};
    static const int showers[][3] = {
        [RAIN] = {80, 81, 82}, [SLEET] = {83, 84, 84}, [SNOW] = {85, 86, 86}, [FREEZING_RAIN] = {66, 67, 67}};
    unsigned cover = sky & COVER_MASK, rate = sky >> RATE_SHIFT & RATE_MASK;
    bool cover_known = sky & COVER_KNOWN;
    if (!(sky & RATE_KNOWN))
        return CONDITION_NO_CODE;
    if (rate == 0)
        return cover_known ? (int)cover : CONDITION_NO_CODE;
    if (temperature_cdeg == CONDITION_NO_TEMPERATURE)
        return CONDITION_NO_CODE;
    enum phase phase = phase_at(temperature_cdeg, sky & FREEZING);
    return cover_known && cover <= PARTLY ? showers[phase][rate - 1] : steady[phase][rate - 1];
}
