// The playground: a newspaper's front page as any reader sees it, under any failure, at any instant.

import { $, copy, get, make, say } from './dom.js';
import * as controls from './controls.js';
import { show } from './explain.js';
import * as previews from './previews.js';
import * as readerMap from './reader_map.js';

// Called when an answer for the selected reader has arrived.
const hear = (answer, now) => {
  previews.dateline(answer, now);
  $('#judged').textContent = readerMap.judgement(answer).join(' · ');
  $('#simulated').hidden = !answer?.simulated;
};

// A choice is kept in this browser, and goes before the place of any reader.
document.addEventListener('masthead:update', ({ detail }) => ($('#chosen').hidden = detail.place.source !== 'reader'));

const showEvidence = () => {
  if (!$('#behind').open) return;
  const panel = make('div', {});
  $('#behind .panel').replaceChildren(panel); // what arrives for an earlier question goes into a panel that is gone
  show(panel, controls.query());
};

let conditions; // under which the readers were asked about: a query of nobody's

// Called when the controls have changed: the field's name, or '' for all at once.
const changed = (field) => {
  controls.publish();
  if (field !== 'colours') previews.become();
  readerMap.mark(choose);
  if (['colours', 'style'].includes(field)) return;
  const now = controls.query('-');
  if (now === conditions) readerMap.askControls();
  else readerMap.askAll();
  conditions = now;
  showEvidence();
};

const choose = (ip) => {
  controls.choose(ip);
  changed('ip');
  say(`Now read from ${ip}`);
};

const offerCopies = () => {
  for (const pre of document.querySelectorAll('.recipes pre')) {
    const button = make('button', { type: 'button', className: 'copy', textContent: 'Copy' });
    button.addEventListener('click', async () => (button.textContent = await copy(pre)));
    pre.after(button);
  }
};

// The script element with the loader's hashed name and its digest, as this service has them.
const pin = async () => {
  const { headers } = await get('/masthead.js');
  const [name, digest] = ['content-location', 'x-masthead-integrity'].map((header) => headers.get(header));
  $('#pinned').textContent = `<script async data-cfasync="false" src="${name}"\n        integrity="${digest}"></script>`;
  $('#pinned').parentNode.hidden = !digest;
};

const scenarios = async () => {
  const reply = await get('/dev/scenarios.json');
  return reply.ok ? reply.json() : { readers: [], faults: [] };
};

const begin = async () => {
  offerCopies();
  pin();
  await readerMap.open(choose, hear);
  controls.open(await scenarios(), changed);
  previews.hang();
  $('#behind').addEventListener('toggle', showEvidence);
  changed('');
};

begin().catch(() => say('The list of readers could not be read.'));
