// The playground: a newspaper's front page that can be read as anybody, under any fault, at any instant.

import { $, copy, get, make, say } from './dom.js';
import * as desk from './desk.js';
import { show } from './evidence.js';
import * as mastheads from './mastheads.js';
import * as readers from './readers.js';

// An answer for the desk's reader has come.
const hear = (answer, now) => {
  mastheads.dateline(answer, now);
  $('#simulated').hidden = !answer?.simulated;
};

const showEvidence = () => {
  if (!$('#behind').open) return;
  const panel = make('div', {});
  $('#behind .panel').replaceChildren(panel); // what arrives for an earlier question goes into a panel that is gone
  show(panel, desk.query());
};

let conditions; // under which the readers were asked about: a query of nobody's

// The desk says something else: the field's name, or '' for all at once.
const changed = (field) => {
  desk.publish();
  if (field !== 'colours') mastheads.become();
  readers.mark(choose);
  if (['colours', 'style'].includes(field)) return;
  const now = desk.query('-');
  if (now === conditions) readers.askDesk();
  else readers.askAll();
  conditions = now;
  showEvidence();
};

const choose = (ip) => {
  desk.choose(ip);
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

// The line with the loader's lasting name and its digest, as this service has them.
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
  await readers.open(choose, hear);
  desk.open(await scenarios(), changed);
  mastheads.hang();
  $('#behind').addEventListener('toggle', showEvidence);
  changed('');
};

begin().catch(() => say('The list of readers could not be read.'));
