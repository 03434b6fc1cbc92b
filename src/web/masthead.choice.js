// Masthead: the reader's choice of a city, in a dialog. Loaded on first use. The choice is kept in this browser only.

const STORE = 'masthead-weather'; // in localStorage: the id of the chosen place
const PAUSE_MS = 200; // after a keystroke, before the search
const TIMEOUT_MS = 5000;

const languages = {
  en: {
    title: 'Weather for your city',
    label: 'Search for a city',
    found: (count) => (count == 1 ? '1 city found' : `${count} cities found`),
    none: 'No city of that name is known',
    failed: 'The search does not answer; try again later',
    again: 'Use my location again',
    close: 'Close',
  },
  hi: {
    title: 'आपके शहर का मौसम',
    label: 'शहर खोजें',
    found: (count) => `${count} शहर मिले`,
    none: 'इस नाम का कोई शहर नहीं मिला',
    failed: 'खोज का उत्तर नहीं मिला; थोड़ी देर बाद फिर कोशिश करें',
    again: 'फिर से मेरा स्थान इस्तेमाल करें',
    close: 'बंद करें',
  },
  ar: {
    title: 'الطقس في مدينتك',
    label: 'ابحث عن مدينة',
    found: (count) => `عدد المدن: ${count}`,
    none: 'لا توجد مدينة بهذا الاسم',
    failed: 'البحث لا يجيب؛ حاول مرة أخرى لاحقًا',
    again: 'استخدم موقعي من جديد',
    close: 'إغلاق',
  },
};

const make = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

// "Maharashtra, India", or the part that is known.
const whereabouts = ({ region, country }, lang) => {
  let land = country;
  try {
    land = new Intl.DisplayNames(lang, { type: 'region' }).of(country);
  } catch {} // the code, then
  return [region, land].filter(Boolean).join(', ');
};

const keep = (id) => {
  try {
    if (id) localStorage.setItem(STORE, id);
    else localStorage.removeItem(STORE);
  } catch {} // it counts for this page, then
};

const keeps = () => {
  try {
    return !!localStorage.getItem(STORE);
  } catch {
    return false;
  }
};

// Opens the dialog. `place` is the element whose name was pressed, `url` its widget's endpoint with query, `answer` what it shows,
// if anything. `changed` is called with the id of the new choice, or with '' when the reader's own location counts again.
export default (place, url, answer, changed) => {
  if (document.querySelector('.masthead-choice')) return; // it was pressed twice
  const lang = place.closest('[lang]')?.lang || 'en';
  const [tag, words] = Object.entries(languages).find(([tag]) => lang.split('-')[0].toLowerCase() == tag)
    ?? ['en', languages.en];
  let latest; // the search whose answer counts
  let pause;

  const choose = (id) => {
    keep(id);
    changed(id);
    dialog.close();
  };

  const offer = (city) => make('li', {}, make('button', { type: 'button', onclick: () => choose(city.id) },
    make('span', { textContent: city.name, dir: 'auto' }), ' ', make('small', { textContent: whereabouts(city, lang) })));

  const search = async () => {
    const query = field.value.trim();
    latest?.abort();
    latest = new AbortController();
    const { signal } = latest;
    if (!query) {
      list.replaceChildren();
      status.textContent = '';
      return;
    }
    const path = new URL('places.json', url);
    path.search = new URLSearchParams({ q: query, lang, country: answer?.place?.country ?? '' });
    const timer = setTimeout(() => latest.abort(), TIMEOUT_MS);
    try {
      const reply = await fetch(path, { signal });
      const { places } = reply.ok && (await reply.json());
      list.replaceChildren(...places.map(offer));
      status.textContent = places.length ? words.found(places.length) : words.none;
    } catch {
      if (signal == latest.signal) status.textContent = words.failed;
    }
    clearTimeout(timer);
  };

  // Arrow keys move through the field and the buttons below it, as in a list.
  const walk = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [field, ...list.querySelectorAll('button')];
    const at = stops.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  };

  const field = make('input', { type: 'search', autocomplete: 'off', spellcheck: false, maxLength: 60 });
  const status = make('p', { role: 'status' });
  const list = make('ul', {});
  const again = make('button', { type: 'button', textContent: words.again, onclick: () => choose('') });
  const credits = (answer?.credits ?? []).filter(({ url }) => /^https?:/.test(url));
  const title = make('h2', { id: 'masthead-choice-title', textContent: words.title });
  const close = make('button', { type: 'button', textContent: words.close, onclick: () => dialog.close() });
  const form = make('form', { onkeydown: walk }, title, make('label', {}, words.label, ' ', field), status, list,
    again, ' ', close,
    make('small', {}, ...credits.flatMap(({ text, url }) => [make('a', { textContent: text, href: url }), ' '])));
  const dialog = make('dialog', { className: 'masthead-choice', lang: tag, dir: tag == 'ar' ? 'rtl' : 'ltr' }, form);

  form.onsubmit = (event) => {
    event.preventDefault();
    list.querySelector('button')?.focus();
  };
  again.hidden = !keeps() && answer?.place?.source != 'reader';
  field.oninput = () => {
    clearTimeout(pause);
    pause = setTimeout(search, PAUSE_MS);
  };
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.onclose = () => {
    latest?.abort();
    clearTimeout(pause);
    dialog.remove();
    place.focus();
  };
  document.body.append(dialog);
  dialog.showModal();
  field.focus();
};
