// Masthead: replaces the page's placeholder by the reader's place and temperature. Writes text, never markup.
// Must stay below 3 KB compressed: it uses `let` only, since repetition compresses, and loads masthead.*.js for rare needs.
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

  // Loads the script of the reader's choice: on first use, or where there is somebody to invite.
  let choice = (url) => import(new URL('masthead.choice.js', url));

  // Whether the reader may choose. Not inside a link or a button: what is pressed there is theirs.
  let choosable = (el) => el.dataset.choice != 'off' && !(part(el, 'place') || el).closest('a,button');

  // The words that invite to choose: '' where they are not wanted, or where the script behind them does not come in time.
  let invitation = async (el, url, lang) => {
    let { invite } = el.dataset;
    try {
      if (invite == 'off' || !choosable(el)) throw 0;
      let late = new Promise((come, fail) => setTimeout(fail, 3000));
      return (await Promise.race([choice(url), late])).invitation(lang, invite);
    } catch {
      return '';
    }
  };

  // Makes a named place a button for the reader's choice, and so the words that invite beside it, if any.
  let offer = (el, url, answer, words) => {
    if (!choosable(el)) return;
    let place = part(el, 'place');
    if (words && !part(el, 'invite')) {
      if (el.dataset.placeTarget) place.title = words; // there is no room of ours
      else (part(el, 'weather') || el).append(' ', span('invite'));
    }
    let invite = part(el, 'invite');
    if (invite) invite.textContent = words;
    for (let node of [place, invite]) {
      if (!node) continue;
      let named = /\S/.test(node.textContent);
      node.role = named ? 'button' : null;
      node.tabIndex = named - 1;
      node.onclick = node.onkeydown = async (event) => {
        if (named && /^( |Enter|undefined)$/.test(event.key)) {
          event.preventDefault();
          try {
            (await choice(url)).default(place, url, answer, (id) => {
              chosen = id;
              feeds = {};
              scan();
            });
          } catch {} // it does not come
        }
      };
    }
  };

  // An answer's place, temperature, exact °C and source. Throws when it is no answer.
  let read = ({ state, place: { name, source }, temperature }) => {
    if (state == 'unknown') return ['\u00a0', '\u00a0', , 'none']; // the lines are kept
    let { celsius, value, text } = temperature;
    if (!/^((fresh|stale)-?\d+|placenull).+°[CF]$/.test(name.trim() && state + value + text)) throw 0;
    return [name, text, celsius?.toFixed(1), source];
  };

  // State shared by the elements with the same query.
  let feed = (url, lang) => {
    let users = new Map(); // element -> the texts that it shows
    let failures = 0, answer, texts, since, wait; // milliseconds

    let show = async (el) => {
      let { dataset } = el;
      let { placeTarget, fallback } = dataset;
      let rendered = part(el, 'weather'); // by the server
      if (!answer && rendered && !/^un/.test(rendered.dataset.state)) return; // it names a place
      // The first time, a part is removed and added again: a new element causes no layout shift.
      let put = (name, textContent) => {
        let node = part(el, name) || span(name);
        if (!rendered && !dataset.state) node.replaceWith(node);
        return Object.assign(node, { textContent, dir: 'auto', lang: textContent == fallback ? lang : answer?.lang ?? lang });
      };
      try {
        let words = /home|none/.test(texts[3]) ? await invitation(el, url, lang) : '';
        if (!placeTarget && !part(el, 'place')) el.replaceChildren(span('place'), ' ', span('temp', 'data'));
        if ('date' in dataset && !part(el, 'date')) el.append(' ', span('date'));
        let { state = 'unavailable', simulated, weather, timezone, place } = answer || {};
        let sky = [weather?.code] + (weather?.is_day == false ? 'n' : '');
        let [name, degrees, value = '', source = 'none'] = texts;
        let instead = !name.trim() && (words || fallback);
        if (instead) [name, degrees, words] = [instead, texts[3] && degrees, ''];
        let city = put('place', name);
        let temp = put('temp', degrees);
        temp.value = value;
        put('condition', weather?.text);
        put('icon');
        try {
          for (let tag of [, lang]) { // the date as people of the place write it, in the page's language and digits
            let { numberingSystem } = Intl.NumberFormat(tag).resolvedOptions();
            let locale = tag && new Intl.Locale(tag, { region: place?.country || undefined, numberingSystem });
            let date = new Date().toLocaleDateString(locale, { dateStyle: 'full', timeZone: timezone || undefined });
            if (!/ M\d/.test(date)) put('date', date).lang = tag || ''; // "2026 M11 29": a language without names of months
          }
        } catch {} // a language or zone that this browser does not know
        if (failures && value) state = 'stale';
        let age = state == 'stale' ? ~~(answer.age_s + (Date.now() - since) / 1000) : null;
        let marks = { state, source, weather: sky, simulated: simulated || null, age };
        for (let node of [el, rendered || el, city, temp]) {
          for (let key in marks) marks[key] == null ? delete node.dataset[key] : (node.dataset[key] = marks[key]);
        }
        offer(el, url, answer, words);
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

  let start = async (el) => {
    try {
      let { endpoint = '/widget.json', mode, query, units, choice } = whole(el).dataset;
      let asked = new URLSearchParams(query);
      let lang = (asked.get('lang') || el.closest('[lang]')?.lang || '').replace(/_/g, '-');
      let own = choice == 'off' ? null : chosen;
      for (let [key, value] of Object.entries({ units, lang, place: own })) if (value) asked.set(key, value);
      let path = mode == 'split' ? endpoint.replace(/[^/]*$/, 'where.json') : endpoint;
      let url = Object.assign(new URL(path, document.baseURI), { search: asked }).href;
      let { state, source } = part(el, 'weather')?.dataset || {}; // of the server's
      if (own == null && !feeds[url] && state == 'fresh') {
        return offer(el, url, null, source == 'home' ? await invitation(el, url, lang) : '');
      }
      (feeds[url] ||= feed(url, lang))(el);
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
