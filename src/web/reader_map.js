// The fake readers as a table and a map. Their answers come from the public paths, like any reader's.

import { $, enqueue, forget, get, localTime, make, say } from './dom.js';
import * as controls from './controls.js';
import { show } from './explain.js';

const TRIES = 5; // asks in all while the place is known and its weather is still on the way
const WAIT_S = 3; // before the second of them, where the answer names no max-age; longer each time
const GROUPS = { '192.0.2.': 'India', '198.51.100.': 'The world', '203.0.113.': 'Hard cases' }; // in the list's words
// What the service says about an answer, in words: its state, the verdict on the place, how sure it is of it, or why it names none.
const STATES = {
  fresh: 'a temperature of now',
  stale: 'a temperature of an older forecast',
  place: 'no temperature yet',
  unknown: 'no temperature',
};
const VERDICTS = {
  city: 'the city is named',
  'too-vague': 'too vague to name a city',
  'not-found': 'no database has a record',
  'no-database': 'there is no database',
  private: 'a private address',
  reserved: 'an address that is nobody\u2019s',
  unreadable: 'no address that can be read',
};
const CONFIDENCE = {
  confirmed: 'confirmed by a second witness, a radius or the reader',
  claimed: 'claimed by one witness, confirmed by none',
};
const REASONS = {
  'no-city': 'the record names no city',
  radius: 'the record may be off by too far',
  anycast: 'the address is in many places at once',
  listed: 'the network is listed as not to be believed',
  office: 'the record is the office of a network',
  conflict: 'two witnesses name different places',
  unconfirmed: 'no second witness confirms the city',
};
// The maps, as readers.css and the service draw them: the corner in the north-west, width and height, in degrees. The first one that
// holds a point has its pin, and the last holds every point.
const MAPS = [
  { id: '#india', north: 38, west: 66, height: 33, width: 33 },
  { id: '#map', north: 78, west: -180, height: 135, width: 360 },
];

const readers = [];
let round = 0; // grows with each change of the controls: answers to earlier questions are dropped
let told = () => {}; // hears the answers for the controls's reader

// Parses tab-separated lines with `#` comments. `""` is an empty name, which is no name here.
const parse = (tsv) => {
  const lines = tsv.split(/\r?\n/).filter((line) => line && !line.startsWith('#'));
  const [head, ...rows] = lines.map((line) => line.split('\t'));
  return rows.map((cells) => Object.fromEntries(head.map((key, i) => [key, (cells[i] ?? '').replace(/^""$/, '')])));
};

const address = (reader) => reader.ipv4 || reader.ipv6;

const has = (reader, ip) => Boolean(ip) && (reader.ipv4 === ip || reader.ipv6 === ip);

// --- Fetching ---

// The service's clock, which may be moved or frozen.
const instantOf = (reply, answer) => {
  const [, applied] = /at=(\S+)/.exec(reply.headers.get('x-masthead-scenario') ?? '') ?? [];
  if (applied) return new Date(applied);
  return answer.fetched_at ? new Date(Date.parse(answer.fetched_at) + answer.age_s * 1000) : new Date();
};

const ask = async (query, done, tries = 1) => {
  const mine = round;
  let answer = null;
  let now = new Date();
  let wait_s = WAIT_S * tries;
  try {
    const reply = await get(`/widget.json?${query}`);
    wait_s = Number(/max-age=(\d+)/.exec(reply.headers.get('cache-control'))?.[1] ?? wait_s);
    if (reply.headers.has('x-masthead-ignored')) say(`Ignored: ${reply.headers.get('x-masthead-ignored')}`);
    answer = await reply.json();
    now = instantOf(reply, answer);
  } catch {
    // shown as unavailable
  }
  if (mine !== round) return;
  done(answer, now);
  if (answer?.state !== 'place' || tries >= TRIES || controls.applied()) return;
  setTimeout(() => mine === round && enqueue(() => ask(query, done, tries + 1)), wait_s * 1000);
};

// --- Writing an answer into its row and its pin ---

const degrees = ({ value, unit }) => `${value ?? '--'}\u00a0°${unit}`.replace(/^-(?=\d)/, '\u2212');

const reading = ({ place, temperature }) => {
  if (!place.name) return [make('i', { textContent: 'nothing' })];
  const number = make('data', { value: temperature.celsius ?? '', textContent: degrees(temperature) });
  return [make('bdi', { textContent: place.name }), ' ', number];
};

export const judgement = (answer) => {
  if (!answer) return ['the service did not answer'];
  const { state, place: { verdict, reason, confidence } } = answer;
  return [VERDICTS[verdict] ?? verdict, REASONS[reason] ?? reason, CONFIDENCE[confidence] ?? confidence, STATES[state] ?? state].filter(Boolean);
};

// The short of it, for a row: how sure the city is, or why there is none.
const reasons = ({ verdict, reason, confidence } = {}) =>
  (verdict === 'city' ? [confidence] : [VERDICTS[verdict] ?? verdict, REASONS[reason] ?? reason]).filter(Boolean);

const write = (reader, answer, now) => {
  const { reads, state, time } = reader.cells;
  const word = answer?.state ?? 'unavailable';
  reads.replaceChildren(...(answer ? reading(answer) : []));
  state.replaceChildren(make('span', { className: 'state', textContent: word === 'place' ? 'place only' : word }));
  state.firstChild.dataset.state = word;
  state.append(...reasons(answer?.place).map((textContent) => make('small', { textContent })));
  time.textContent = answer?.timezone ? localTime(now, answer.timezone, { timeStyle: 'short' }) : '';
  reader.pin.dataset.state = word;
  reader.pin.setAttribute('aria-label', `${title(reader)}: ${reads.textContent || 'no answer'}, ${word}`);
  $('span', reader.pin)?.replaceChildren(...[...reads.childNodes].map((node) => node.cloneNode(true)));
};

const askAbout = (reader) => enqueue(() => ask(controls.query(address(reader)), (answer, now) => write(reader, answer, now)));

// Asks about all readers again.
export const askAll = () => {
  round += 1;
  forget();
  askControls();
  readers.forEach(askAbout);
};

// Asks about the selected reader only.
export const askControls = () => enqueue(() => ask(controls.query(), told));

// --- The table ---

const nameOf = (code) => (Intl.DisplayNames ? new Intl.DisplayNames('en', { type: 'region' }).of(code) : code);

const title = ({ city, region, country }) => {
  if (city) return city;
  if (region || country) return `Somewhere in ${region || nameOf(country)}`;
  return 'Someone somewhere';
};

const facts = (reader) => {
  const where = [reader.region, reader.country, reader.latitude && `${reader.latitude}, ${reader.longitude}`,
    reader.radius && `within ${reader.radius} km`, reader.timezone, reader.flags, reader.names];
  const networks = ['4', '6'].filter((v) => reader[`ipv${v}`])
    .map((v) => `${reader[`ipv${v}`]}${reader[`network${v}`] ? ` in ${reader[`network${v}`]}` : ''}`);
  return [networks, where].map((list) => make('p', { textContent: list.filter(Boolean).join(' · ') }));
};

const toggle = (reader, button, id) => {
  const row = document.getElementById(id);
  button.setAttribute('aria-expanded', String(!row));
  if (row) return row.remove();
  const panel = make('div', { className: 'panel' }, make('p', { textContent: reader.note }), ...facts(reader));
  button.closest('tr').after(make('tr', { className: 'details', id }, make('td', { colSpan: 6 }, panel)));
  return show(panel, controls.query(address(reader)));
};

// A button that selects this reader.
const chooser = (reader, className, choose) => make('button',
  { type: 'button', className, textContent: title(reader), onclick: () => choose(address(reader)), attributes: { 'aria-pressed': 'false' } });

const rowOf = (reader, index, choose) => {
  const id = `details-${index}`;
  const label = `Details of ${title(reader)}, ${address(reader)}`;
  const attributes = { 'aria-expanded': 'false', 'aria-label': label, 'aria-controls': id };
  const details = make('button', { type: 'button', textContent: 'Details', attributes });
  details.onclick = () => toggle(reader, details, id);
  reader.button = chooser(reader, 'reader', choose);
  reader.pin = pinOf(reader, choose);
  reader.cells = {
    reads: make('td', { className: 'reads' }),
    state: make('td', {}, make('span', { className: 'state', textContent: 'asking', data: { state: 'asking' } })),
    time: make('td', { className: 'wide' }),
  };
  const head = make('th', { scope: 'row' }, reader.button, make('small', { textContent: address(reader) }));
  const { reads, state, time } = reader.cells;
  const remark = make('td', { className: 'wide remark', textContent: reader.note });
  return make('tr', { data: { ip: address(reader) } }, head, reads, state, time, remark, make('td', {}, details));
};

const groupOf = (reader) =>
  GROUPS[Object.keys(GROUPS).find((prefix) => address(reader).startsWith(prefix))] ?? 'Others';

const group = (name, rows) => {
  const head = make('tr', { className: 'group' }, make('th', { colSpan: 6, scope: 'rowgroup', textContent: name }));
  return make('tbody', {}, head, ...rows);
};

// The map: buttons over a picture of the world, at the coordinates of the reader's record; readers without are beside it

const pinOf = (reader, choose) => {
  const [north, east] = [reader.latitude, reader.longitude].map((text) => (text ? Number(text) : NaN));
  const placed = Math.abs(north) <= 90 && Math.abs(east) <= 180;
  const pin = chooser(reader, placed ? 'pin' : 'chip', choose);
  pin.setAttribute('aria-label', `${title(reader)}: asking`);
  if (!placed) {
    $('#nowhere').append(pin);
    return pin;
  }
  const sharesOn = (map) => [(east - map.west) / map.width, (map.north - north) / map.height];
  const map = MAPS.find((one) => sharesOn(one).every((share) => share >= 0 && share <= 1)) ?? MAPS[MAPS.length - 1];
  const [left, top] = sharesOn(map).map((share) => 100 * Math.min(Math.max(share, 0), 1));
  pin.replaceChildren(make('span', { textContent: title(reader) }));
  Object.assign(pin.style, { left: `${left}%`, top: `${top}%` });
  pin.classList.toggle('west', left > 60);
  $(map.id).append(pin);
  return pin;
};

// Marks the selected reader, with a new row where the list has none.
export const mark = (choose) => {
  const ip = controls.address();
  if (ip && !readers.some((reader) => has(reader, ip))) {
    const reader = { ipv4: ip, note: 'An address you asked about' };
    readers.unshift(reader);
    $('#rows thead').after(group('Asked by you', [rowOf(reader, `own-${readers.length}`, choose)]));
    askAbout(reader);
  }
  for (const reader of readers) {
    for (const button of [reader.button, reader.pin]) button.setAttribute('aria-pressed', String(has(reader, ip)));
  }
};

// Reads the list and builds table and map. `choose(ip)` is called when a reader is chosen, `hear(answer, now)` with each answer for
// the selected reader.
export const open = async (choose, hear) => {
  told = hear;
  readers.push(...parse(await (await get('/dev/visitors.tsv')).text()));
  const groups = {};
  readers.forEach((reader, index) => (groups[groupOf(reader)] ||= []).push(rowOf(reader, index, choose)));
  for (const [name, rows] of Object.entries(groups)) $('#rows').append(group(name, rows));
};
