// Masthead: the reader's choice of a city, in a dialog, and the words that invite to it. Loaded on first use, or where no place is
// known. The choice is kept in this browser only.

const STORE = 'masthead-weather'; // in localStorage: the id of the chosen place
const PAUSE_MS = 200; // after a keystroke, before the search
const TIMEOUT_MS = 5000;
const QUIET_MS = 400; // before it is said that the search goes on
const FIRST = 8; // cities of the reader's country, before anything is typed
const POSITION_MS = 15000; // for the browser to find it, once the reader has allowed that
const POSITION_AGE_MS = 3600000; // of one that the browser already has
const PER_DEGREE = 10; // a position is rounded to the squares that share their weather, and leaves the browser no finer

// The words that invite to choose a city: the page's own, if it has any.
export const invitation = (lang, own) => own || spoken(lang)[1].invite;

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

// Opens the dialog. `pressed` is the place's element or that of the invitation, `url` its widget's endpoint with query, `answer` what
// it shows, if anything. `changed` is called with the id of the new choice, or with '' when the reader's own location counts again.
export default (pressed, url, answer, changed) => {
  const invite = pressed.matches('.masthead-invite'); // which goes, when a place is chosen
  const place = (invite && pressed.parentNode.querySelector('.masthead-place')) || pressed;
  const lang = place.closest('[lang]')?.lang || 'en';
  const [tag, words] = spoken(lang);
  const country = answer?.place?.country ?? '';
  let latest; // the question whose answer counts
  let searched = ''; // the words that were searched for last
  let searching; // until that is done
  let pause;

  const choose = (id) => {
    keep(id);
    changed(id);
    dialog.close();
  };

  const offer = (city) => make('li', {}, make('button', { type: 'button', onclick: () => choose(city.id) },
    make('span', { textContent: city.name, dir: 'auto' }), ' ', make('small', { textContent: whereabouts(city, lang) })));

  // Begins a question: whatever is still under way for another does not count any more, nor does the list.
  const begin = () => {
    clearTimeout(pause);
    if (list.contains(document.activeElement)) field.focus();
    list.inert = true;
    latest?.abort();
    latest = new AbortController();
    return latest;
  };

  // Asks the service for places and hands them to `use`, unless another question has begun meanwhile. Says when it does not answer.
  const ask = async (query, use, options) => {
    const question = begin();
    const path = new URL('places.json', url);
    path.search = query;
    const timer = setTimeout(() => question.abort(), TIMEOUT_MS);
    try {
      const reply = await fetch(path, { ...options, signal: question.signal });
      const { places } = reply.ok && (await reply.json());
      if (question == latest) use(places);
    } catch {
      if (question == latest) show([], words.failed);
    }
    clearTimeout(timer);
  };

  const show = (places, text) => {
    list.replaceChildren(...places.map(offer));
    list.inert = false;
    status.textContent = text;
  };

  // Finds what is typed: the largest cities of the country while that is nothing.
  const search = () => {
    const q = field.value.trim();
    searched = q;
    if (!q) return country ? ask(new URLSearchParams({ lang, country }), (places) => show(places.slice(0, FIRST), '')) : show([], '');
    const slow = setTimeout(() => (status.textContent = words.searching), QUIET_MS);
    const found = ask(new URLSearchParams({ q, lang, country }),
      (places) => show(places, places.length ? `${words.found} ${places.length.toLocaleString(tag)}` : words.none));
    return found.finally(() => clearTimeout(slow));
  };

  // Chooses the city where the browser says that the reader is. The service is told the square and nothing else: no cookie, no page.
  const locate = () => {
    const question = begin();
    const rounded = (degrees) => (Math.round(degrees * PER_DEGREE) / PER_DEGREE || 0).toFixed(1); // not "-0.0"
    const found = ({ coords }) => {
      if (question != latest || !dialog.open) return; // the reader has begun to search, or closed the dialog
      ask(`near=${rounded(coords.latitude)},${rounded(coords.longitude)}`,
        (places) => (places.length ? choose(places[0].id) : show([], words.nowhere)),
        { credentials: 'omit', referrerPolicy: 'no-referrer' });
    };
    const failed = ({ code, PERMISSION_DENIED }) => {
      if (question == latest) show([], code == PERMISSION_DENIED ? words.refused : words.lost);
    };
    searched = '';
    show([], words.finding);
    navigator.geolocation.getCurrentPosition(found, failed, { timeout: POSITION_MS, maximumAge: POSITION_AGE_MS });
  };

  // Arrow keys move through the field and the buttons above and below it, as in a list.
  const walk = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [...form.querySelectorAll('.masthead-position, input, :not([inert]) > li button')];
    const at = stops.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  };

  const position = make('button',
    { type: 'button', className: 'masthead-position', textContent: words.position, onclick: locate });
  const field = make('input', { type: 'search', autocomplete: 'off', spellcheck: false, maxLength: 60 });
  const status = make('p', { role: 'status' });
  const list = make('ul', {});
  const again = make('button', { type: 'button', textContent: words.again, onclick: () => choose('') });
  const credits = (answer?.credits ?? []).filter(({ url }) => /^https?:/.test(url));
  const title = make('h2', { id: 'masthead-choice-title', textContent: words.title });
  const form = make('form', { onkeydown: walk }, title,
    ...(isSecureContext && navigator.geolocation ? [position] : []), // elsewhere browsers tell nobody
    make('label', {}, words.label, ' ', field), status,
    make('div', { className: 'masthead-list' }, list, again,
      make('div', {}, make('small', {}, ...credits.flatMap(({ text, url }) => [make('a', { textContent: text, href: url }), ' '])))),
    closing(words.close));
  const dialog = make('dialog', { className: 'masthead-choice', lang: tag, dir: words.direction }, form);

  // Enter goes to the first city that is found, when it is; a second one, as soon as it is pressed, chooses it.
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (field.value.trim() != searched) searching = search(); // the pause is not over yet
    await searching;
    const first = field.value.trim() == searched && list.querySelector('button');
    if (first) document.activeElement == first ? first.click() : first.focus();
  };
  again.hidden = !keeps() && answer?.place?.source != 'reader';
  field.oninput = () => {
    begin();
    pause = setTimeout(() => (searching = search()), PAUSE_MS);
  };
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.addEventListener('close', begin);
  open(dialog, place, url, () => {
    field.focus();
    searching = search();
  });
};
