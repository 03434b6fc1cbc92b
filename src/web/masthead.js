// Masthead: replaces the page's placeholder by the reader's place and temperature. Writes text, never markup.
// Must stay below 2 KB compressed: it uses `let` only, since repetition compresses, and loads masthead.*.js for rare needs.
if (!customElements.get('masthead-weather')) { // else this script is on the page twice
  let tag = 'masthead-weather';
  let feeds = {}; // by URL
  let credits; // of the latest answer
  let chosen; // id of the place that the reader chose; '': none any more
  try {
    chosen = localStorage[tag];
  } catch {} // this browser keeps nothing

  let span = (name, tag = 'span') => Object.assign(document.createElement(tag), { className: 'masthead-' + name });

  // Returns the node. Throws while the parser may still add to it: until a node follows it or one of its ancestors.
  let whole = (node) => {
    if (document.readyState == 'loading' && !node.nextSibling) whole(node.parentNode);
    return node;
  };

  let part = (el, name) => {
    let target = el.dataset[name + 'Target'];
    return target ? whole(document.querySelector(target)) : el.querySelector('.masthead-' + name);
  };

  // Makes a named place a button for the reader's choice, whose script is loaded on first use.
  let offer = (el, url, answer) => {
    let place = part(el, 'place');
    if (el.dataset.choice == 'off' || !place) return;
    let named = /\S/.test(place.textContent);
    place.role = named ? 'button' : null;
    place.tabIndex = named - 1;
    place.onclick = place.onkeydown = async (event) => {
      if (named && /^( |Enter|undefined)$/.test(event.key)) {
        event.preventDefault();
        try {
          (await import(new URL('masthead.choice.js', url))).default(place, url, answer, (id) => {
            chosen = id;
            feeds = {};
            scan();
          });
        } catch {} // it does not come
      }
    };
  };

  // An answer's place, temperature, exact °C and source. Throws when it is no answer.
  let read = ({ state, place: { name, source }, temperature }) => {
    if (state == 'unknown') return ['', ''];
    let { celsius, value, unit } = temperature;
    if (!/^((fresh|stale)-?\d+|placenull)[CF]$/.test(name.trim() && state + value + unit)) throw 0;
    return [name, `${value ?? '--'}\u00a0°${unit}`.replace(/-\b/, '\u2212'), celsius?.toFixed(1), source];
  };

  // State shared by the elements with the same query.
  let open = (url, lang) => {
    let users = new Map(); // element -> the texts that it shows
    let failures = 0, answer, texts, since, wait; // milliseconds

    let show = (el) => {
      let { dataset } = el;
      let { placeTarget, fallback } = dataset;
      let rendered = part(el, 'weather'); // by the server
      if (!answer && rendered && !/^un/.test(rendered.dataset.state)) return; // it names a place
      // The first time, a part is removed and added again: a new element causes no layout shift.
      let put = (name, textContent) => {
        let node = part(el, name) || span(name);
        if (!rendered && !dataset.state) node.replaceWith(node);
        return Object.assign(node, { textContent, dir: 'auto' });
      };
      try {
        if (!placeTarget && !part(el, 'place')) el.replaceChildren(span('place'), ' ', span('temp', 'data'));
        if ('date' in dataset && !part(el, 'date')) el.append(' ', span('date'));
        let { state = 'unavailable', simulated, weather, timezone } = answer || {};
        let sky = [weather?.code] + (weather?.is_day == false ? 'n' : '');
        let [name, degrees, value = '', source = 'none'] = fallback && !texts[0] ? [fallback, ''] : texts;
        let city = put('place', name);
        let temp = put('temp', degrees);
        temp.value = value;
        put('condition', weather?.text);
        put('icon');
        try {
          for (let locale of [[], lang]) {
            put('date', new Date().toLocaleDateString(locale, { dateStyle: 'full', timeZone: timezone || undefined }));
          }
        } catch {} // a language or zone that this browser does not know
        if (failures && value) state = 'stale';
        let age = state == 'stale' ? ~~(answer.age_s + (Date.now() - since) / 1000) : null;
        let marks = { state, source, weather: sky, simulated: simulated || null, age };
        for (let node of [el, rendered || el, city, temp]) {
          for (let key in marks) marks[key] == null ? delete node.dataset[key] : (node.dataset[key] = marks[key]);
          node.lang ||= lang;
        }
        offer(el, url, answer);
        if (users.get(el) != texts) {
          users.set(el, texts);
          if (answer) el.dispatchEvent(new CustomEvent('masthead:update', { bubbles: true, detail: answer }));
          if ('remember' in dataset) sessionStorage[url] = JSON.stringify([since, answer, wait]);
        }
      } catch {} // nothing to fill yet
    };

    let take = (got) => {
      texts = read(got);
      answer = got;
      credits = got.credits;
    };

    // Fetches, and again when the answer has expired; backs off after failures, and pauses while the page is hidden.
    let load = async () => {
      if (texts && document.hidden) return requestAnimationFrame(load); // there is none in a tab that is hidden
      let signal = AbortSignal.timeout?.(3000);
      let get = async (url) => {
        let reply = await fetch(url, { signal });
        wait = 1000 * Math.max(15, /max-age=(\d{1,4})|$/.exec(reply.headers.get('cache-control'))[1] | 0);
        return reply.ok && reply.json();
      };
      try {
        let got = await get(url);
        take(got.unit ? await (await import(new URL('masthead.split.js', url))).default(got, get, url, lang, answer || take) : got);
        failures = 0;
        since = Date.now();
      } catch {
        wait = 15000 * ++failures; // keep what we have
      }
      if (feeds[url] != join) return; // the reader has chosen meanwhile
      texts ||= ['', '--\u00a0°C'];
      for (let el of users.keys()) el.isConnected ? show(el) : users.delete(el);
      if (users.size) setTimeout(load, wait);
      else delete feeds[url];
      scan();
    };

    try {
      let kept;
      [since, kept, wait] = JSON.parse(sessionStorage[url]);
      let left = since + wait - Date.now();
      if (left < 0) throw 0;
      take(kept);
      setTimeout(load, left);
    } catch {
      load(); // nothing is remembered
    }

    let join = (el) => {
      users.set(el, users.get(el));
      if (users.get(el) != texts) show(el);
    };
    return join;
  };

  let start = (el) => {
    try {
      let { endpoint = '/widget.json', mode, query, units, choice } = whole(el).dataset;
      let asked = new URLSearchParams(query);
      let lang = asked.get('lang') || el.closest('[lang]')?.lang || '';
      let own = choice == 'off' ? null : chosen;
      for (let [key, value] of Object.entries({ units, lang, place: own })) if (value) asked.set(key, value);
      let path = mode == 'split' ? endpoint.replace(/[^/]*$/, 'where.json') : endpoint;
      let url = Object.assign(new URL(path, document.baseURI), { search: asked }).href;
      if (own == null && !feeds[url] && part(el, 'weather')?.dataset.state == 'fresh') return offer(el, url);
      (feeds[url] ||= open(url, lang))(el);
    } catch {} // not whole yet, or not in order: the others go on
  };

  // Fills the elements that are there, and while the page is loading those that are added.
  let scan = () => {
    document.querySelectorAll(`${tag},[data-masthead],[data-place-target]`).forEach(start);
    for (let box of document.querySelectorAll('[data-masthead-credits]')) {
      if (box.credits != credits) {
        box.credits = credits;
        box.textContent = '';
        for (let { text, url } of credits) {
          if (/^http/.test(url)) box.append(Object.assign(document.createElement('a'), { textContent: text, href: url }), ' ');
        }
      }
    }
    if (document.readyState != 'complete') setTimeout(scan, 99);
  };
  scan();
  customElements.define(tag, class extends HTMLElement {
    connectedCallback() {
      start(this);
    }
  });
}
