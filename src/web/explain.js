// The evidence behind an answer, a tab each: how to ask and the head of the answer, the fragment, the JSON, the service's reasons.

import { get, make } from './dom.js';

let chosen = 0; // the tab that is open in each panel that comes

const shelf = (title, text) => [make('h3', { textContent: title }), make('pre', { tabIndex: 0, textContent: text })];

// Pages as tabs, each [name, ...nodes]. Arrow keys move between them.
const tabs = (pages) => {
  const buttons = pages.map(([textContent]) => make('button', { type: 'button', textContent, attributes: { role: 'tab' } }));
  const panels = pages.map(([name, ...nodes]) => make('div', { attributes: { role: 'tabpanel', 'aria-label': name } }, ...nodes));
  const choose = (index) => {
    chosen = index;
    buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === index));
      button.tabIndex = i === index ? 0 : -1;
      panels[i].hidden = i !== index;
    });
  };
  buttons.forEach((button, i) => {
    button.onclick = () => choose(i);
    button.onkeydown = ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      choose((i + step + buttons.length) % buttons.length);
      buttons[chosen].focus();
    };
  });
  choose(chosen);
  return [make('div', { className: 'tabs', attributes: { role: 'tablist', 'aria-label': 'Forms of the answer' } }, ...buttons), ...panels];
};

const pretty = async (reply) => JSON.stringify(await reply.json(), null, 2);

const explanation = async (query) => {
  const reply = await get(`/dev/explain?${query}`);
  if (reply.ok) return pretty(reply);
  return reply.status === 404 ? 'This service explains nothing here (HTTP 404).' : reply.text();
};

// The evidence for a query as elements. Rejects when the service cannot be reached.
const evidence = async (query) => {
  const [html, json, why] = await Promise.all([get(`/widget?${query}`), get(`/widget.json?${query}`), explanation(query)]);
  const headers = [...json.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return tabs([
    ['curl', ...shelf('In a shell', `curl -i '${location.origin}/widget.json?${query}'`), ...shelf('Head of the answer', `HTTP ${json.status}\n${headers}`)],
    ['HTML', ...shelf(`/widget?${query}`, await html.text())],
    ['JSON', ...shelf(`/widget.json?${query}`, await pretty(json))],
    ['Why', ...shelf(`/dev/explain?${query}`, why)],
  ]);
};

// Puts the evidence into a panel, or a sentence when there is none.
export const show = async (panel, query) => {
  try {
    panel.append(...await evidence(query));
  } catch {
    panel.append(make('p', { textContent: 'The service did not answer.' }));
  }
};
