// Masthead: puts the reader's place and temperature where the page has a placeholder. Text, never markup.
(() => {
  const tag = 'masthead-weather';
  if (customElements.get(tag)) return; // this script is on the page twice

  const feeds = {}; // by URL
  const asks = new WeakMap(); // element -> the URL it is filled from
  let chosen; // id of the place that the reader chose; '': none any more
  try {
    chosen = localStorage[tag];
  } catch {} // this browser keeps nothing

  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  const span = (name, tag = 'span') => make(tag, { className: 'masthead-' + name });

  const part = (el, name) => {
    const target = el.dataset[name + 'Target'];
    return target ? document.querySelector(target) : el.querySelector('.masthead-' + name);
  };

  // Makes a place that is named a button for the reader's own choice, whose script comes with the first use.
  const offer = (el, answer) => {
    const place = part(el, 'place');
    if (el.dataset.choice == 'off' || !place) return;
    const named = !!place.textContent.trim();
    Object.assign(place, { role: named ? 'button' : null, tabIndex: named - 1 });
    place.onclick = place.onkeydown = async (event) => {
      if (!named || (event.key && !/^( |Enter)$/.test(event.key))) return;
      event.preventDefault();
      const url = asks.get(el);
      (await import(new URL('masthead.choice.js', url))).default(place, url, answer, (id) => {
        chosen = id;
        scan();
      });
    };
  };

  // An answer's place, temperature and exact °C; throws when it is not one.
  const read = ({ state, place, temperature, unit: other }) => {
    if (state == 'unknown') return ['', ''];
    const { value = null, unit = other, celsius } = temperature || {};
    if (!place.name.trim() || !/^((fresh|stale)-?\d+|placenull)[CF]$/.test(state + value + unit)) throw 0;
    return [place.name, `${value ?? '--'}\u00a0°${unit}`.replace(/-\b/, '\u2212'), celsius?.toFixed(1)];
  };

  // What the elements that ask the same share.
  const open = (url, lang, remember) => {
    const users = new Map(); // element -> the answer it was told
    let answer, texts, tries = 0;

    const show = (el) => {
      const { dataset } = el;
      const { placeTarget, fallback } = dataset;
      const rendered = el.querySelector('.masthead-weather'); // by the server
      if (rendered && !answer) return;
      // At first into a copy: a new element in its own place, rather than one that moves as its neighbours change.
      const put = (name, textContent, more) => {
        let node = part(el, name);
        if (node && !rendered && !dataset.state) node.replaceWith(node = node.cloneNode());
        if (node) return Object.assign(node, { textContent }, more);
      };
      try {
        if (!placeTarget && !part(el, 'place')) el.replaceChildren(span('place'), ' ', span('temp', 'data'));
        if ('date' in dataset && !part(el, 'date')) el.append(' ', span('date'));
        const { state = 'unavailable', weather, timezone, simulated, place } = answer || {};
        const sky = (weather?.code ?? '') + (weather?.is_day == false ? 'n' : '');
        const [name, degrees, value = ''] = fallback && !texts[0] ? [fallback, ''] : texts;
        const city = put('place', name, { dir: 'auto' });
        const temp = put('temp', degrees, { value });
        put('condition', weather?.text);
        put('icon');
        try {
          put('date', new Date().toLocaleDateString(lang || [], { dateStyle: 'full', timeZone: timezone || undefined }));
        } catch {} // a zone that this browser does not know
        for (const node of [el, rendered, city, temp].filter(Boolean)) {
          Object.assign(node.dataset, { state, source: place?.source || 'none', weather: sky });
          node.toggleAttribute('data-simulated', !!simulated);
          delete node.dataset.age;
          node.lang ||= lang;
        }
        offer(el, answer);
        if (!answer || users.get(el) == answer) return;
        users.set(el, answer);
        el.dispatchEvent(new CustomEvent('masthead:update', { bubbles: true, detail: answer }));
      } catch {} // nothing to fill yet
    };

    const take = (got) => {
      texts = read(got);
      answer = got;
      for (const box of document.querySelectorAll('[data-masthead-credits]')) {
        box.textContent = '';
        for (const { text, url } of got.credits) {
          if (/^https?:/.test(url)) box.append(make('a', { textContent: text, href: url }), ' ');
        }
      }
    };

    // Asks, and again when the answer has aged: ever more seldom, and only while someone looks.
    const load = async () => {
      if (tries && document.hidden) return document.addEventListener('visibilitychange', load, { once: true });
      let wait = 15 * ++tries;
      const signal = AbortSignal.timeout?.(3000);
      const get = async (url) => {
        const reply = await fetch(url, { signal });
        if (!reply.ok) throw 0;
        wait = Math.max(wait, /max-age=(\d+)|$/.exec(reply.headers.get('cache-control'))[1] || 0);
        return reply.json();
      };
      try {
        const got = await get(url);
        take(got);
        if (got.unit && got.cell) {
          const weather = await get(new URL(`weather.json?lang=${lang}&units=${got.unit}&cell=${got.cell}`, url));
          take({ ...got, ...weather, credits: weather.credits.concat(got.credits) });
        }
        if (remember) sessionStorage[url] = JSON.stringify([Date.now() + wait * 1000, answer]);
      } catch {} // keep what we have
      texts ||= ['', '--\u00a0°C'];
      for (const el of users.keys()) el.isConnected && asks.get(el) == url ? show(el) : users.delete(el);
      if (users.size) setTimeout(load, Math.min(wait, 3600) * 1000);
      else delete feeds[url];
    };

    try {
      const [end, kept] = JSON.parse(sessionStorage[url]);
      const left = end - Date.now();
      if (left > 0) {
        take(kept);
        tries = 1;
        setTimeout(load, left);
      }
    } catch {} // nothing remembered

    return (el) => {
      if (!users.has(el)) users.set(el);
      if (texts) show(el);
      if (!tries) load();
    };
  };

  const start = (el) => {
    const { endpoint = '/widget.json', query, units, mode, choice } = el.dataset;
    const lang = el.closest('[lang]')?.lang || '';
    const asked = new URLSearchParams(query);
    if (units) asked.set('units', units);
    if (lang && !asked.has('lang')) asked.set('lang', lang);
    const own = choice == 'off' ? null : chosen;
    if (own) asked.set('place', own);
    const url = new URL(mode == 'split' ? endpoint.replace(/[^/]*$/, 'where.json') : endpoint, document.baseURI);
    url.search = asked;
    asks.set(el, url.href);
    if (own == null && el.querySelector('.masthead-weather[data-state=fresh]')) return offer(el);
    (feeds[url] ||= open(url.href, lang, 'remember' in el.dataset))(el);
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
