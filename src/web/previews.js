// Mastheads: the page's own, and three styles in every language. The loader fills them, as on any page.

import { $, localTime, make } from './dom.js';
import * as controls from './controls.js';

const LANGUAGES = {
  en: { name: 'The Daily Masthead', wait: 'Fetching location...', edition: 'Morning edition' },
  hi: { name: 'दैनिक शीर्षक', wait: 'स्थान खोजा जा रहा है...', edition: 'प्रातः संस्करण' },
  bn: { name: 'দৈনিক শিরোনাম', wait: 'অবস্থান খোঁজা হচ্ছে...', edition: 'প্রভাতি সংস্করণ' },
  ta: { name: 'தினத் தலைப்பு', wait: 'இருப்பிடம் தேடப்படுகிறது...', edition: 'காலைப் பதிப்பு' },
  te: { name: 'దిన శీర్షిక', wait: 'స్థానం కోసం వెతుకుతోంది...', edition: 'ఉదయపు సంచిక' },
  mr: { name: 'दैनिक मथळा', wait: 'स्थान शोधत आहे...', edition: 'सकाळची आवृत्ती' },
  gu: { name: 'દૈનિક મથાળું', wait: 'સ્થાન શોધાઈ રહ્યું છે...', edition: 'સવારની આવૃત્તિ' },
  kn: { name: 'ದಿನದ ಶೀರ್ಷಿಕೆ', wait: 'ಸ್ಥಳವನ್ನು ಹುಡುಕಲಾಗುತ್ತಿದೆ...', edition: 'ಬೆಳಗಿನ ಆವೃತ್ತಿ' },
  ml: { name: 'ദിന തലക്കെട്ട്', wait: 'സ്ഥാനം കണ്ടെത്തുന്നു...', edition: 'പ്രഭാത പതിപ്പ്' },
  pa: { name: 'ਰੋਜ਼ਾਨਾ ਸਿਰਲੇਖ', wait: 'ਟਿਕਾਣਾ ਲੱਭਿਆ ਜਾ ਰਿਹਾ ਹੈ...', edition: 'ਸਵੇਰ ਦਾ ਐਡੀਸ਼ਨ' },
  ur: { name: 'روزنامہ سرخی', wait: 'مقام تلاش کیا جا رہا ہے...', edition: 'صبح کا ایڈیشن', dir: 'rtl' },
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
    if (part === 'icon') node.setAttribute('aria-hidden', 'true');
    return [node, ' '];
  });
  const query = controls.query().replace(/(^|&)lang=[^&]*/, '');
  return make('masthead-weather', { ...properties, lang, data: { ...properties.data, query } }, ...nodes);
};

const paper = (style, lang) => {
  const { name, edition, dir = 'ltr' } = LANGUAGES[lang];
  return make('div', { className: 'paper', lang, dir, data: { style } },
    make('p', { className: 'title', textContent: name }),
    make('div', { className: 'dateline' }, make('span', { className: 'date' }),
      widget(lang, STYLES[style], {}), make('span', { className: 'edition', textContent: edition })));
};

export const hang = () => {
  for (const style of Object.keys(STYLES)) {
    $('#mastheads .wall').append(...Object.keys(LANGUAGES).map((lang) => paper(style, lang)));
  }
};

// Replaces the elements by new ones, which ask for the selected reader.
export const become = () => {
  for (const own of document.querySelectorAll('.front .paper')) own.dataset.style = controls.style() || 'serif';
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
  for (const edition of document.querySelectorAll('.front .edition')) {
    edition.textContent = name ? `${region || name} edition` : 'Edition for nowhere in particular';
  }
};
