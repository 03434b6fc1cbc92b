// Masthead: puts the reader's place and temperature where the page has a placeholder. Text, never markup.
(() => {
  const tag = 'masthead-weather';
  if (customElements.get(tag)) return; // this script is on the page twice

  const feeds = {}; // by URL
  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  // An answer's place, temperature and exact °C; throws when it is not one.
  const read = ({ state, place, temperature }) => {
    if (state == 'unknown') return ['', ''];
    if (!place.name.trim()) throw 0;
    const { value, unit, celsius } = temperature || {};
    if (state == 'place') return [place.name, `--\u00a0°${unit == 'F' ? unit : 'C'}`];
    if (!/^(fresh|stale)-?\d+[CF]$/.test(state + value + unit)) throw 0;
    return [place.name, `${value}\u00a0°${unit}`.replace('-', '\u2212'), celsius.toFixed(1)];
  };

  // What the elements that ask the same share.
  const open = (url, lang) => {
    const users = new Map(); // element -> the answer it was told
    let answer, texts, tries = 0;

    const show = (el) => {
      const { placeTarget, tempTarget, fallback } = el.dataset;
      const rendered = el.querySelector('.masthead-weather'); // by the server
      const targets = () => ['.masthead-place', '.masthead-temp'].map((own, i) =>
        placeTarget ? document.querySelector(i ? tempTarget : placeTarget) : el.querySelector(own));
      if (rendered && !answer) return;
      try {
        if (!placeTarget && targets().includes(null)) {
          el.replaceChildren(make('span', { className: 'masthead-place' }), ' ',
            make('data', { className: 'masthead-temp' }));
        }
        const [place, temp] = targets();
        const [name, degrees, value = ''] = fallback && !texts[0] ? [fallback, ''] : texts;
        Object.assign(place, { textContent: name, dir: 'auto' });
        Object.assign(temp, { textContent: degrees, value });
        for (const node of placeTarget ? [el, place, temp] : [rendered || el]) {
          node.dataset.state = answer ? answer.state : 'unavailable';
          node.dataset.source = answer?.place?.source || 'none';
          node.toggleAttribute('data-simulated', !!answer?.simulated);
          node.removeAttribute('data-age');
          if (lang) node.lang ||= lang;
        }
        if (!answer || users.get(el) == answer) return;
        users.set(el, answer);
        el.dispatchEvent(new CustomEvent('masthead:update', { bubbles: true, detail: answer }));
      } catch {} // nothing to fill yet
    };

    // Asks, and again when the answer has aged: ever more seldom, and only while someone looks.
    const load = async () => {
      if (tries && document.hidden) return document.addEventListener('visibilitychange', load, { once: true });
      let wait = 15 * ++tries;
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 3000);
      try {
        const reply = await fetch(url, { credentials: 'same-origin', signal: abort.signal });
        const got = reply.ok && (await reply.json());
        texts = read(got);
        answer = got;
        wait = Math.max(wait, /max-age=(\d+)|$/.exec(reply.headers.get('cache-control'))[1] || 0);
        const links = answer.credits.filter(({ url }) => /^https?:/.test(url));
        for (const box of document.querySelectorAll('[data-masthead-credits]')) {
          box.replaceChildren(...links.flatMap(({ text, url }) =>
            [make('a', { textContent: text, href: url, rel: 'noopener' }), ' ']));
        }
      } catch {} // keep what we have
      texts ||= ['', '--\u00a0°C'];
      for (const el of users.keys()) el.isConnected ? show(el) : users.delete(el);
      if (users.size) setTimeout(load, Math.min(wait, 3600) * 1000);
      else delete feeds[url];
    };

    return (el) => {
      if (!users.has(el)) users.set(el);
      if (texts) show(el);
      if (!tries) load();
    };
  };

  const start = (el) => {
    if (el.querySelector('.masthead-weather[data-state=fresh]')) return;
    const { endpoint = '/widget.json', query, units } = el.dataset;
    const lang = el.closest('[lang]')?.lang;
    const asked = new URLSearchParams(query);
    if (units) asked.set('units', units);
    if (lang && !asked.has('lang')) asked.set('lang', lang);
    const url = endpoint + (endpoint.includes('?') ? '&' : '?') + asked;
    (feeds[url] ||= open(url, lang))(el);
  };

  const scan = () => document.querySelectorAll(`${tag},[data-masthead],[data-place-target]`).forEach(start);
  scan();
  document.addEventListener('DOMContentLoaded', scan);
  customElements.define(tag, class extends HTMLElement {
    connectedCallback() {
      start(this);
    }
  });
})();
