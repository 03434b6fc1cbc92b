// Masthead: an answer from its two halves, for pages that ask for them apart (data-mode="split"): where the reader is, which is
// the reader's, and the weather there, which is anybody's.

// The answer to `where`, what /where.json at `url` said: all that /widget.json would have said. `get` asks for JSON. Throws when the
// weather does not come; `instead`, where it is a function, is told what can be shown then.
export default async ({ unit, ...where }, get, url, lang, instead) => {
  const { name } = where.place;
  const half = {
    ...where,
    text: where.cell ? `${name} --\u00a0°${unit}` : '',
    temperature: { celsius: null, value: null, unit },
    weather: { code: null, text: null, is_day: null },
    fetched_at: null, age_s: null, refresh_at: null, timezone: null, utc_offset_s: null, provider: null, simulated: false,
  };
  if (!where.cell) return half;
  try {
    const weather = await get(new URL(`weather.json?${lang && `lang=${lang}&`}units=${unit}&cell=${where.cell}`, url));
    return { ...half, ...weather, text: `${name} ${weather.text}`, credits: [...weather.credits, ...where.credits] };
  } catch (error) {
    instead.call?.(null, half);
    throw error;
  }
};
