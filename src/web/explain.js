// The evidence behind an answer: the fragment, the JSON, the headers, and the service's reasons.

import { get, make } from './dom.js';

const shelf = (title, text) => [make('h3', { textContent: title }), make('pre', { tabIndex: 0, textContent: text })];

const pretty = async (reply) => JSON.stringify(await reply.json(), null, 2);

const explanation = async (query) => {
  const reply = await get(`/dev/explain?${query}`);
  if (reply.ok) return pretty(reply);
  return reply.status === 404 ? 'This service explains nothing here (HTTP 404).' : reply.text();
};

// The evidence for a query as an element. Rejects when the service cannot be reached.
const evidence = async (query) => {
  const [html, json, why] = await Promise.all([get(`/widget?${query}`), get(`/widget.json?${query}`), explanation(query)]);
  const headers = [...json.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return make('div', { className: 'evidence' },
    make('div', {}, ...shelf(`HTML: /widget?${query}`, await html.text()),
      ...shelf('Headers of the JSON', `HTTP ${json.status}\n${headers}`),
      ...shelf('The same in a shell', `curl '${location.origin}/widget?${query}'`)),
    make('div', {}, ...shelf(`JSON: /widget.json?${query}`, await pretty(json))),
    make('div', { className: 'why' }, ...shelf(`Why: /dev/explain?${query}`, why)));
};

// Puts the evidence into a panel, or a sentence when there is none.
export const show = async (panel, query) => {
  try {
    panel.append(await evidence(query));
  } catch {
    panel.append(make('p', { textContent: 'The service did not answer.' }));
  }
};
