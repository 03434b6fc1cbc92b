// Masthead: replaces the page's placeholder by the reader's place and temperature. Writes text, never markup.
// Must stay below 3 KB compressed: it uses `let` only, since repetition compresses, and loads masthead.*.js for rare needs.
if (!customElements.get('masthead-weather')) { // else this script is on the page twice
  let tag = 'masthead-weather';
  let feeds = {}; // by URL
  let credits; // of the latest answer
  let due; // the next look for something to fill; 0: none
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

  // All elements of a part: some themes have their header twice, with the same ids.
  let parts = (el, name) => {
    let target = el.dataset[name + 'Target'];
    return target ? [...document.querySelectorAll(target)].map(whole) : [...el.querySelectorAll('.masthead-' + name)];
  };

  let link = (href, textContent) => Object.assign(document.createElement('a'), { href, textContent });

  let script = (name, url) => import(new URL(`masthead.${name}.js`, url));

  // Whether the reader may choose. Not inside a link or a button: what is pressed there is theirs.
  let choosable = (el) => el.dataset.choice != 'off' && !(parts(el, 'place')[0] || el).closest('a,button');

  // The words that invite to choose: '' where they are not wanted, or where the script behind them does not come in time.
  let invitation = async (el, url, lang) => {
    let { invite } = el.dataset;
    try {
      if (invite == 'off' || !choosable(el)) throw 0;
      let late = new Promise((come, fail) => setTimeout(fail, 3000));
      return (await Promise.race([script('choice', url), late])).invitation(lang, invite);
    } catch {
      return '';
    }
  };

  // Where the temperature leads, if anywhere: within the site, or to a page of https.
  let linked = ({ href }, place) => {
    try {
      let filled = href.replace('{id}', place.id || '{');
      let url = place.name && !/^$|{/.test(filled) && new URL(filled, document.baseURI).href;
      if (/^https:/.test(url) || !url.indexOf(location.origin + '/')) return url;
    } catch {} // no such address, or none is wanted
  };

  // Makes a node that has a text a button, which calls what a script exports, or says that the script does not come.
  let button = (node, name, url, answer, ...rest) => {
    let named = /\S/.test(node.textContent);
    node.role = named ? 'button' : null;
    node.tabIndex = named - 1;
    for (let type of node.press ? [] : ['click', 'keydown']) { // beside the page's own
      node.addEventListener(type, (event) => {
        if (node.role && /^( |Enter|undefined)$/.test(event.key)) {
          event.preventDefault();
          node.press();
        }
      });
    }
    node.press = async () => {
      try {
        (await script(name, url)).default(node, url, answer, ...rest);
      } catch {
        let { later: textContent = 'Try again later', lang } = answer || {};
        let box = Object.assign(span('later', 'dialog'), {
          textContent,
          ariaLabel: textContent,
          lang,
          onclick: () => box.close(),
          onclose: () => box.remove(),
        });
        document.body.append(box);
        box.showModal();
      }
    };
  };

  // Makes a named place a button for the reader's choice, and so the words that invite beside it, if any.
  let offer = (el, url, answer, words) => {
    if (!choosable(el)) return;
    let places = parts(el, 'place');
    if (words && !parts(el, 'invite')[0]) {
      if (el.dataset.placeTarget) places.map((node) => (node.title = words)); // there is no room of ours
      else (parts(el, 'weather')[0] || el).append(' ', span('invite'));
    }
    for (let node of parts(el, 'invite')) {
      if (node.textContent != words) node.textContent = words;
      places.push(node);
    }
    for (let node of places) {
      button(node, 'choice', url, answer, (id) => {
        chosen = id;
        feeds = {};
        scan();
      });
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
    let failures = 0, answer, texts, since, wait, next, timer; // milliseconds

    // Brings an element up to date. What another script has written over an answer's text is put right once.
    let show = async (el) => {
      let { dataset } = el;
      let { placeTarget, fallback } = dataset;
      let [rendered] = parts(el, 'weather'); // by the server
      if (!answer && rendered && !/^un/.test(rendered.dataset.state)) return; // it names a place
      let once = (node, text) => {
        let back = node.kept == text;
        return !(back && node.back) && Object.assign(node, { kept: text, back });
      };
      try {
        let words = /home|none/.test(texts[3]) ? await invitation(el, url, lang) : '';
        if (!placeTarget && !parts(el, 'place')[0]) {
          if (!once(el, texts)) return;
          el.replaceChildren(span('place'), ' ', span('temp', 'data'));
        }
        let { state = 'unavailable', simulated, weather, timezone, place, temperature, today, rain, hours } = answer || {};
        let [name, degrees, value = '', source = 'none'] = texts;
        let instead = !name.trim() && (words || fallback);
        if (instead) [name, degrees, words] = [instead, '\u00a0', ''];
        if (failures && value) state = 'stale';
        let marks = {
          state,
          source,
          weather: [weather?.code] + (weather?.is_day == false ? 'n' : ''),
          simulated: simulated || null,
          age: state == 'stale' ? ~~(answer.age_s + (Date.now() - since) / 1000) : null,
        };
        let language = answer?.lang ?? lang;
        let wanted = `${'date' in dataset ? 'date' : ''} ${dataset.show}`;
        let mark = (node) => {
          for (let [key, value] of Object.entries(marks)) value == null ? delete node.dataset[key] : (node.dataset[key] = value);
        };
        // Writes a text into all elements of a part, and returns them.
        let put = (key, text, tag = text == fallback ? lang : language) => {
          text ??= '';
          if (RegExp(`\\b${key}\\b`).test(wanted) && !placeTarget && !parts(el, key)[0]) (rendered || el).append(' ', span(key));
          return parts(el, key).map((node) => {
            // The first time, a part is removed and added again, with the space before it: what is new causes no layout shift.
            if (node.kept == null && !rendered) {
              let space = node.previousSibling;
              if (space?.data) space.replaceWith(space);
              node.replaceWith(node);
            }
            if ((node.kept != text || node.textContent != text) && once(node, text)) node.textContent = text;
            mark(node);
            return Object.assign(node, { dir: 'auto', lang: tag });
          });
        };
        [el, rendered || el].map(mark);
        put('place', name);
        let href = linked(dataset, place);
        for (let node of put('temp', degrees)) {
          node.value = value;
          if (node.textContent == degrees && node.firstChild.href != href && !node.closest('a,button')) {
            node.replaceChildren(href ? link(href, degrees) : degrees);
          }
        }
        put('condition', weather?.text);
        put('icon');
        put('range', today?.text);
        put('rain', rain?.text);
        put('feels', temperature?.feels_text);
        let label, date, dated;
        try {
          label = hours?.[0] && hours.length.toLocaleString(language, { style: 'unit', unit: 'hour', unitDisplay: 'long' });
          for (let tag of [, lang]) { // the date as people of the place write it, in the page's language and digits
            let { numberingSystem } = Intl.NumberFormat(tag).resolvedOptions();
            let locale = tag && new Intl.Locale(tag, { region: place?.country || undefined, numberingSystem });
            let text = new Date().toLocaleDateString(locale, { dateStyle: 'full', timeZone: timezone || undefined });
            if (!/ M\d/.test(text)) [date, dated] = [text, tag || '']; // "2026 M11 29": a language without names of months
          }
        } catch {} // a language or zone that this browser does not know
        put('date', date, dated);
        for (let node of put('hours', label)) node.closest('a,button') || button(node, 'hours', url, answer);
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

    // Fetches, and again when the answer has expired; backs off after failures, and not while the page is hidden.
    let load = async () => {
      next = 0;
      if (texts && (document.hidden || feeds[url] != join)) return;
      next = Infinity;
      clearTimeout(timer);
      let signal = AbortSignal.timeout?.(3000);
      let get = async (url) => {
        let reply = await fetch(url, { signal });
        wait = 1000 * Math.max(15, /max-age=(\d{1,4})|$/.exec(reply.headers.get('cache-control'))[1] | 0);
        return reply.ok && reply.json();
      };
      try {
        let got = await get(url);
        take(got.unit ? await (await script('split', url)).default(got, get, url, lang, answer || take) : got);
        failures = 0;
        since = Date.now();
      } catch {
        wait = 15000 * ++failures; // keep what we have
      }
      if (feeds[url] != join) return; // the reader has chosen meanwhile
      texts ||= ['\u00a0', '--\u00a0°C'];
      for (let el of users.keys()) el.isConnected ? show(el) : users.delete(el);
      if (users.size) sleep(wait);
      else delete feeds[url];
      scan();
    };

    let sleep = (ms) => {
      next = Date.now() + ms;
      timer = setTimeout(load, ms);
    };

    try {
      let kept;
      [since, kept, wait] = JSON.parse(sessionStorage[url]);
      let left = since + wait - Date.now();
      if (left < 0) throw 0;
      take(kept);
      sleep(left);
    } catch {
      load(); // nothing is remembered
    }

    let join = (el) => {
      users.set(el, users.get(el));
      if (Date.now() > next) load(); // a timer sleeps as long as the machine does
      if (texts) show(el);
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
      let { state, source } = parts(el, 'weather')[0]?.dataset || {}; // of the server's
      if (own == null && !feeds[url] && state == 'fresh') {
        return offer(el, url, null, source == 'home' ? await invitation(el, url, lang) : '');
      }
      (feeds[url] ||= feed(url, lang))(el);
    } catch {} // not whole yet, or not in order: the others go on
  };

  // Brings all elements up to date. Runs when the page has changed or is looked at again, and not while it stands still.
  let scan = () => {
    due = 0;
    document.querySelectorAll(`${tag},[data-masthead],[data-place-target]`).forEach(start);
    for (let box of document.querySelectorAll('[data-masthead-credits]')) {
      if (box.credits != credits) {
        box.credits = credits;
        box.textContent = '';
        for (let { text, url } of credits) {
          if (/^http/.test(url)) box.append(link(url, text), ' ');
        }
      }
    }
  };
  scan();
  new MutationObserver(() => (due ||= setTimeout(scan, 99))).observe(document, { childList: true, characterData: true, subtree: true });
  for (let type of ['readystatechange', 'visibilitychange', 'focus']) addEventListener(type, scan, true);
  customElements.define(tag, class extends HTMLElement {});
}
