// Masthead: joins an answer from its two halves, for pages with data-mode="split": the reader's place, which is private, and the
// weather there, which is public.

// Returns what /widget.json would have answered, from `where`, the answer of /where.json at `url`. `get` fetches JSON. Rejects when
// the weather cannot be fetched; `instead`, if it is a function, is first called with what can be shown then.
export default async ({ unit, ...where }, get, url, lang, instead) => {
  const { name } = where.place;
  const half = {
    ...where,
    text: where.cell ? `${name} --\u00a0°${unit}` : '',
    temperature: { celsius: null, value: null, unit, text: where.cell && `--\u00a0°${unit}`, feels_text: null },
    weather: { code: null, text: null, is_day: null },
    feels_like: null, today: null, rain: null, hours: null,
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
