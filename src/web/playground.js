// The playground: a table of fake readers, each asked about through the public paths like any reader, and a front page
// that can be read as any of them. Text is written as text, never as markup: some readers live in hostile places.

const IN_FLIGHT = 4; // requests at a time; a cold cache meets a newcomer, not a crowd
const TRIES = 5; // asks in all while the place is known and its weather is still on the way
const WAIT_S = 3; // before the second of them, where the answer names no max-age; longer each time
const TIMEOUT_MS = 5000;
const PLACEHOLDER = ['Fetching location...', '-- °C'];
const FIRST = '192.0.2.1'; // the reader in the page's own markup
const GROUPS = { '192.0.2.': 'India', '198.51.100.': 'The world', '203.0.113.': 'Hard cases' }; // in the list's words

const $ = (selector) => document.querySelector(selector);
const controls = $('#controls');
let current; // the reader whose eyes we have
let round = 0; // grows with each change of the controls: answers to earlier questions are dropped

const make = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

const say = (text) => ($('#status').textContent = text);

// Readers

// Tab-separated lines with `#` comments; `""` is a name of zero length, which here is no name.
const parse = (tsv) => {
  const lines = tsv.split(/\r?\n/).filter((line) => line && !line.startsWith('#'));
  const [head, ...rows] = lines.map((line) => line.split('\t'));
  return rows.map((cells) => Object.fromEntries(head.map((key, i) => [key, (cells[i] ?? '').replace(/^""$/, '')])));
};

const address = (reader) => reader.ipv4 || reader.ipv6;

const query = (reader) => {
  const asked = new URLSearchParams({ ip: address(reader) });
  for (const name of ['units', 'lang']) if (controls[name].value) asked.set(name, controls[name].value);
  return asked.toString();
};

// Asking: a few at a time, in order

const waiting = [];
let flying = 0;

const next = () => {
  if (flying >= IN_FLIGHT || !waiting.length) return;
  flying += 1;
  waiting.shift()().finally(() => {
    flying -= 1;
    next();
  });
};

const enqueue = (job) => {
  waiting.push(job);
  next();
};

const get = (path) => fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' });

const ask = async (reader, tries = 1) => {
  const mine = round;
  let answer = null;
  let wait_s = WAIT_S * tries;
  try {
    const reply = await get(`/widget.json?${query(reader)}`);
    wait_s = Number(/max-age=(\d+)/.exec(reply.headers.get('cache-control'))?.[1] ?? wait_s);
    if (reply.headers.has('x-masthead-ignored')) say(`Ignored: ${reply.headers.get('x-masthead-ignored')}`);
    answer = await reply.json();
  } catch {
    // shown as unavailable
  }
  if (mine !== round) return;
  write(reader, answer);
  if (answer?.state === 'place' && tries < TRIES) setTimeout(() => again(reader, tries, mine), wait_s * 1000);
};

const again = (reader, tries, mine) => {
  if (mine === round) enqueue(() => ask(reader, tries + 1));
};

// Writing an answer into its row, and the date into the front page

const degrees = ({ value, unit }) => `${value ?? '--'}\u00a0°${unit}`.replace(/^-(?=\d)/, '\u2212');

const reading = ({ place, temperature }) => {
  if (!place.name) return [make('i', { textContent: 'nothing' })];
  const number = make('data', { value: temperature.celsius ?? '', textContent: degrees(temperature) });
  return [make('bdi', { textContent: place.name }), ' ', number];
};

const localTime = (zone, style) => {
  try {
    return new Intl.DateTimeFormat('en-GB', { ...style, timeZone: zone || undefined }).format();
  } catch {
    return ''; // a zone that this browser does not know
  }
};

const write = (reader, answer) => {
  const { reads, state, time } = reader.cells;
  const word = answer?.state ?? 'unavailable';
  reads.replaceChildren(...(answer ? reading(answer) : []));
  state.replaceChildren(make('span', { className: 'state', textContent: word === 'place' ? 'place only' : word }));
  state.firstChild.dataset.state = word;
  const verdict = answer?.place?.verdict;
  if (verdict && verdict !== 'city') state.append(make('small', { textContent: verdict }));
  time.textContent = answer?.timezone ? localTime(answer.timezone, { timeStyle: 'short' }) : '';
  if (answer?.simulated) $('#simulated').hidden = false;
  if (reader === current) dateline(answer);
};

const dateline = (answer) => {
  $('#date').textContent = localTime(answer?.timezone, { dateStyle: 'full' });
  const { name, region } = answer?.place ?? {};
  $('#edition').textContent = name ? `${region || name} edition` : 'Edition for nowhere in particular';
};

// Reading the page as someone else: new elements, which the loader fills as it would on any page

const become = (reader) => {
  current?.button.setAttribute('aria-pressed', 'false');
  reader.button.setAttribute('aria-pressed', 'true');
  current = reader;
  for (const old of document.querySelectorAll('masthead-weather')) {
    const widget = old.cloneNode(true);
    const parts = widget.querySelectorAll('.masthead-place, .masthead-temp');
    parts.forEach((part, i) => (part.textContent = PLACEHOLDER[i]));
    for (const node of [widget, ...parts]) delete node.dataset.state;
    widget.dataset.query = query(reader);
    widget.lang = controls.lang.value;
    old.replaceWith(widget);
  }
};

const choose = (reader) => {
  become(reader);
  say(`Now read from ${reader.button.textContent}`);
  enqueue(() => ask(reader));
};

// What stands behind a row

const shelf = (title, text) => [make('h3', { textContent: title }), make('pre', { tabIndex: 0, textContent: text })];

const facts = (reader) => {
  const where = [reader.region, reader.country, reader.latitude && `${reader.latitude}, ${reader.longitude}`,
    reader.radius && `within ${reader.radius} km`, reader.timezone, reader.flags, reader.names];
  const networks = ['4', '6'].filter((v) => reader[`ipv${v}`])
    .map((v) => `${reader[`ipv${v}`]}${reader[`network${v}`] ? ` in ${reader[`network${v}`]}` : ''}`);
  return [networks, where].map((list) => make('p', { textContent: list.filter(Boolean).join(' · ') }));
};

const evidence = async (reader) => {
  const asked = query(reader);
  const [html, json] = await Promise.all([get(`/widget?${asked}`), get(`/widget.json?${asked}`)]);
  const headers = [...json.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return make('div', { className: 'evidence' },
    make('div', {}, ...shelf(`HTML: /widget?${asked}`, await html.text()),
      ...shelf('Headers of the JSON', `HTTP ${json.status}\n${headers}`),
      ...shelf('The same in a shell', `curl '${location.origin}/widget?${asked}'`)),
    make('div', {}, ...shelf(`JSON: /widget.json?${asked}`, JSON.stringify(await json.json(), null, 2))));
};

const open = async (reader, button, id) => {
  const panel = make('div', { className: 'panel' }, make('p', { textContent: reader.note }), ...facts(reader));
  const row = make('tr', { className: 'details', id }, make('td', { colSpan: 6 }, panel));
  button.closest('tr').after(row);
  try {
    panel.append(await evidence(reader));
  } catch {
    panel.append(make('p', { textContent: 'The service did not answer.' }));
  }
};

const toggle = (reader, button, id) => {
  const row = document.getElementById(id);
  button.setAttribute('aria-expanded', String(!row));
  if (row) row.remove();
  else open(reader, button, id);
};

// The table

const nameOf = (code, type) => new Intl.DisplayNames('en', { type }).of(code);

const title = ({ city, region, country }) => {
  if (city) return city;
  if (region || country) return `Somewhere in ${region || nameOf(country, 'region')}`;
  return 'Someone somewhere';
};

const rowOf = (reader, index) => {
  const id = `details-${index}`;
  const name = title(reader);
  const details = make('button', { type: 'button', textContent: 'Details' });
  details.setAttribute('aria-expanded', 'false');
  details.setAttribute('aria-controls', id);
  details.setAttribute('aria-label', `Details of ${name}, ${address(reader)}`);
  details.addEventListener('click', () => toggle(reader, details, id));
  reader.button = make('button', { type: 'button', className: 'reader', textContent: name });
  reader.button.setAttribute('aria-pressed', 'false');
  reader.button.addEventListener('click', () => choose(reader));
  reader.cells = {
    reads: make('td', { className: 'reads' }),
    state: make('td', {}, make('span', { className: 'state', textContent: 'asking' })),
    time: make('td', { className: 'wide' }),
  };
  reader.cells.state.firstChild.dataset.state = 'asking';
  const head = make('th', { scope: 'row' }, reader.button, make('small', { textContent: address(reader) }));
  const { reads, state, time } = reader.cells;
  const remark = make('td', { className: 'wide remark', textContent: reader.note });
  const row = make('tr', {}, head, reads, state, time, remark, make('td', {}, details));
  row.dataset.ip = address(reader);
  return row;
};

const groupOf = (reader) =>
  GROUPS[Object.keys(GROUPS).find((prefix) => address(reader).startsWith(prefix))] ?? 'Others';

const group = (name, rows) => {
  const head = make('tr', { className: 'group' }, make('th', { colSpan: 6, scope: 'rowgroup', textContent: name }));
  return make('tbody', {}, head, ...rows);
};

const fill = (readers) => {
  const rows = new Map();
  readers.forEach((reader, index) => {
    const name = groupOf(reader);
    rows.set(name, [...(rows.get(name) ?? []), rowOf(reader, index)]);
  });
  for (const [name, list] of rows) $('#rows').append(group(name, list));
};

const offerLanguages = (readers) => {
  const tags = readers.flatMap(({ names }) => names.split('|').map((name) => name.split('=')[0]));
  for (const tag of [...new Set(tags)].filter((tag) => tag && tag !== 'en').sort()) {
    controls.lang.append(make('option', { value: tag, textContent: `${nameOf(tag, 'language')} (${tag})` }));
  }
};

const askAll = (readers) => {
  round += 1;
  waiting.length = 0;
  for (const reader of readers) enqueue(() => ask(reader));
};

const addReader = (readers, ip) => {
  const known = readers.find((reader) => reader.ipv4 === ip || reader.ipv6 === ip);
  const reader = known ?? { ipv4: ip, note: 'An address you asked about' };
  if (!known) {
    readers.unshift(reader);
    $('#rows thead').after(group('Asked by you', [rowOf(reader, readers.length)]));
  }
  choose(reader);
};

// Recipes

const copy = async (pre) => {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    return 'Copied';
  } catch {
    getSelection().selectAllChildren(pre);
    return 'Selected';
  }
};

const offerCopies = () => {
  for (const pre of document.querySelectorAll('.recipes pre')) {
    const button = make('button', { type: 'button', className: 'copy', textContent: 'Copy' });
    button.addEventListener('click', async () => (button.textContent = await copy(pre)));
    pre.after(button);
  }
};

const begin = async () => {
  offerCopies();
  const readers = parse(await (await get('/dev/visitors.tsv')).text());
  offerLanguages(readers);
  fill(readers);
  current = readers.find((reader) => address(reader) === FIRST) ?? readers[0];
  current.button.setAttribute('aria-pressed', 'true');
  controls.addEventListener('submit', (event) => {
    event.preventDefault();
    if (controls.ip.value.trim()) addReader(readers, controls.ip.value.trim());
  });
  for (const name of ['units', 'lang']) {
    controls[name].addEventListener('change', () => {
      askAll(readers);
      become(current);
    });
  }
  askAll(readers);
};

begin().catch(() => say('The list of readers could not be read.'));
