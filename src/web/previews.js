// Mastheads: the page's own, and three styles in three languages. The loader fills them, as on any page.

import { $, localTime, make } from './dom.js';
import * as controls from './controls.js';

const LANGUAGES = {
  en: { name: 'The Daily Masthead', wait: 'Fetching location...', edition: 'Morning edition', dir: 'ltr' },
  hi: { name: 'दैनिक शीर्षक', wait: 'स्थान खोजा जा रहा है...', edition: 'प्रातः संस्करण', dir: 'ltr' },
  ar: { name: 'الترويسة اليومية', wait: 'جارٍ تحديد الموقع...', edition: 'الطبعة الصباحية', dir: 'rtl' },
};
const STYLES = { serif: 'place temp', sans: 'place icon temp', dark: 'icon place temp condition' }; // and their parts
const OWN_TARGETS = { place: 'city', temp: 'temp' }; // the ids of a page that has two elements already

// A new element, which the loader fills as on a new page. Its own language goes before that of the controls.
const widget = (lang, parts, properties) => {
  const { wait } = LANGUAGES[lang];
  const ids = properties.data?.placeTarget ? OWN_TARGETS : {};
  const nodes = parts.split(' ').flatMap((part) => {
    const node = make('span', { className: `masthead-${part}`, textContent: { place: wait, temp: '-- °C' }[part] ?? '' });
    if (ids[part]) node.id = ids[part];
    if (part === 'icon') node.ariaHidden = 'true';
    return [node, ' '];
  });
  const query = controls.query().replace(/(^|&)lang=[^&]*/, '');
  return make('masthead-weather', { ...properties, lang, data: { ...properties.data, query } }, ...nodes);
};

const paper = (style, lang) => {
  const { name, edition, dir } = LANGUAGES[lang];
  return make('div', { className: 'sheet' }, make('div', { className: 'paper', lang, dir, data: { style } },
    make('p', { className: 'title', textContent: name }),
    make('div', { className: 'dateline' }, make('span', { className: 'date' }),
      widget(lang, STYLES[style], {}), make('span', { className: 'edition', textContent: edition }))));
};

export const hang = () => {
  for (const style of Object.keys(STYLES)) {
    $('#mastheads .wall').append(...Object.keys(LANGUAGES).map((lang) => paper(style, lang)));
  }
};

// Replaces the elements by new ones, which ask for the selected reader.
export const become = () => {
  const style = controls.style() || 'serif';
  $('#masthead').dataset.style = style;
  for (const old of document.querySelectorAll('masthead-weather')) {
    const { placeTarget, tempTarget } = old.dataset;
    const wall = old.closest('.wall');
    const shown = old.closest('.paper')?.dataset.style ?? 'serif';
    old.replaceWith(widget(wall ? old.lang : controls.lang(), STYLES[shown], { data: placeTarget && { placeTarget, tempTarget } }));
  }
};

// Writes the date at the reader's place in each masthead's language, and the edition of the page's own.
export const dateline = (answer, now) => {
  for (const date of document.querySelectorAll('.dateline .date')) {
    date.textContent = localTime(now, answer?.timezone, { dateStyle: 'full' }, date.closest('[lang]').lang);
  }
  const { name, region } = answer?.place ?? {};
  $('#edition').textContent = name ? `${region || name} edition` : 'Edition for nowhere in particular';
};
