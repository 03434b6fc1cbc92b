// Masthead: the next hours, in a small dialog that opens from the element `masthead-hours`. Loaded on the first press.

// Whole degrees in the answer's unit, rounded half away from zero, in tenths so that it is exact.
const degrees = (celsius, unit, lang) => {
  const tenths = Math.round(celsius * 10);
  const tenthsShown = unit == 'F' ? (tenths * 9) / 5 + 320 : tenths;
  const whole = Math.round(Math.abs(tenthsShown) / 10);
  return `${whole && tenthsShown < 0 ? '\u2212' : ''}${whole.toLocaleString(lang)}°`;
};

// Writes instants as the time of day at the place; in the browser's zone where it does not know the place's.
const clock = (lang, timeZone) => {
  try {
    return new Intl.DateTimeFormat(lang, { timeStyle: 'short', hourCycle: 'h23', timeZone });
  } catch {
    return new Intl.DateTimeFormat([], { timeStyle: 'short', hourCycle: 'h23' });
  }
};

// Opens the dialog. `pressed` is the element, `url` its widget's endpoint with query, `answer` what it shows.
export default (pressed, url, { lang, place, temperature, timezone, hours }) => {
  const [tag, words] = spoken(lang);
  const { format } = clock(lang, timezone ?? undefined);
  const row = ({ at, celsius, code, is_day, rain_probability }) => {
    const icon = make('span', { className: 'masthead-icon', ariaHidden: 'true' });
    icon.dataset.weather = [code] + (is_day == false ? 'n' : '');
    const rain = rain_probability > 0 && `☂\ufe0e ${(rain_probability / 100).toLocaleString(lang, { style: 'percent' })}`;
    return make('li', {}, make('time', { dateTime: at, textContent: format(new Date(at)) }), ' ', icon, ' ',
      make('b', { textContent: celsius == null ? '--°' : degrees(celsius, temperature.unit, lang) }), ' ', rain || '');
  };
  const title = make('h2', { id: 'masthead-strip-title' }, make('span', { textContent: place.name, dir: 'auto' }), ` · ${pressed.textContent}`);
  const list = make('ol', { className: 'masthead-list masthead-strip', tabIndex: 0 }, ...hours.map(row)); // it scrolls, by keyboard too
  const dialog = make('dialog', { lang: tag, dir: words.direction }, make('form', {}, title, list, closing(words.close)));
  dialog.setAttribute('aria-labelledby', title.id);
  open(dialog, pressed, url);
};
