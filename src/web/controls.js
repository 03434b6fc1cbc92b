// The controls: reader, instant, failure, and the look of the page. Their state is a query for the service and a hash of this
// page's address, which can be kept and shared.

import { $, copy, make } from './dom.js';

const FIRST = '192.0.2.1'; // the reader in the page's own markup
const LOOKS = ['style', 'colours']; // of the page alone: in the hash, not in the query

const form = $('#controls');
let readers = []; // of /dev/scenarios.json
let usual; // the instant of those that have none of their own

const value = (name) => form.elements[name].value.trim();

const instant = () => {
  const at = value('at');
  return at && `${at.length === 16 ? `${at}:00` : at.slice(0, 19)}Z`;
};

const named = () => readers.find(({ name }) => name === value('reader'));

// The query for the selected reader, or for the one at `ip` under the same conditions: a selected reader's instant holds for all.
// Commas and colons stay readable.
export const query = (ip) => {
  const reader = named();
  const asked = {
    ip: ip || (reader ? '' : value('ip')),
    scenario: [ip ? '' : reader?.name, value('fault')].filter(Boolean).join(','),
    at: instant() || (ip && reader ? (reader.at ?? usual) : ''),
    lang: value('lang'),
    units: value('units'),
  };
  const given = Object.entries(asked).filter(([, text]) => text);
  return new URLSearchParams(given).toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
};

// The selected reader's address; '' where a scenario has none.
export const address = () => (named() ? (named().address ?? '') : value('ip'));

export const lang = () => value('lang') || 'en';
export const style = () => value('style');
export const applied = () => Boolean(value('fault') || value('at') || value('reader')); // such an answer does not change

export const choose = (ip) => {
  form.elements.ip.value = ip;
  form.elements.reader.value = '';
};

const hash = () => {
  const looks = LOOKS.filter((look) => value(look)).map((look) => `${look}=${value(look)}`);
  const all = [query(), ...looks].join('&');
  return all === `ip=${FIRST}` ? '' : `#${all}`;
};

const set = (field, text) => {
  const control = form.elements[field];
  control.value = text ?? '';
  if (control.selectedIndex < 0) control.selectedIndex = 0; // not one of ours
};

// Sets the controls from the hash; those that it does not name get their defaults. False when the hash is a place on the page.
const restore = () => {
  const said = new URLSearchParams(location.hash.slice(1));
  if (location.hash && ![...said.values()].some(Boolean)) return false;
  const names = (said.get('scenario') ?? '').split(',');
  const reader = names.find((one) => readers.some(({ name }) => name === one));
  set('reader', reader);
  set('fault', names.find((one) => one !== reader));
  set('ip', said.get('ip') ?? (reader ? '' : FIRST));
  set('at', /^[\d-]+T[\d:]+(?=Z$)/.exec(said.get('at'))?.[0]);
  for (const field of ['lang', 'units', ...LOOKS]) set(field, said.get(field));
  return true;
};

// Shows the controls' state and keeps it in the hash.
export const publish = () => {
  const url = `${location.origin}/widget.json?${query()}`;
  Object.assign($('#url'), { textContent: url, href: url });
  history.replaceState(null, '', location.pathname + location.search + hash());
  $('#page-url').textContent = location.href;
  document.documentElement.dataset.colours = value('colours');
  const selects = [...form.querySelectorAll('select')].filter((select) => select.selectedOptions[0].title);
  $('#notes').replaceChildren(...selects.map((select) => make('span', {
    textContent: `${select.labels[0].firstChild.data.trim()}: ${select.selectedOptions[0].title}`,
  })));
};

const offer = (field, list) => {
  for (const { name, note } of list) {
    form.elements[field].append(make('option', { value: name, textContent: name.replaceAll('-', ' '), title: note }));
  }
};

// Fills the controls and calls `changed(field)` on each change: the field's name, or '' for all at once.
export const open = (scenarios, changed) => {
  readers = scenarios.readers;
  usual = scenarios.default_at;
  offer('reader', readers);
  offer('fault', scenarios.faults);
  if (usual) $('#default-at').textContent = ` A fault without an instant is at ${usual}.`;
  restore();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (value('ip')) changed('ip');
  });
  form.addEventListener('change', ({ target }) => {
    if (target.name === 'reader') form.elements.ip.value = target.value ? '' : FIRST;
    if (target.name !== 'ip') changed(target.name); // an address waits for the button
  });
  addEventListener('hashchange', () => {
    if (restore()) changed('');
    else publish(); // the place is reached; the address says the state again
  });
  for (const button of document.querySelectorAll('[data-copies]')) {
    button.addEventListener('click', async () => (button.textContent = await copy($(button.dataset.copies))));
  }
};
