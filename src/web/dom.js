// Helpers of all parts of the playground. Text is written as text, never as markup: place names can be hostile.

const IN_FLIGHT = 4; // requests at a time; a cold cache meets a newcomer, not a crowd
const TIMEOUT_MS = 5000;

export const $ = (selector, root = document) => root.querySelector(selector);

// An element with these properties and children; `data` are data- attributes, `attributes` are all that browsers of the loader's age
// do not reflect as properties.
export const make = (tag, { data, attributes = {}, ...rest }, ...children) => {
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, data);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

export const say = (text) => ($('#status').textContent = text);

export const get = (path) => fetch(path, { signal: AbortSignal.timeout?.(TIMEOUT_MS), cache: 'no-store' });

// Runs jobs in order, a few at a time. A job is a function that returns a promise; it must not reject.

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

export const enqueue = (job) => {
  waiting.push(job);
  next();
};

export const forget = () => (waiting.length = 0);

// Copies text to the clipboard, or selects it where that is not allowed. Returns the button's new label.
export const copy = async (node) => {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return 'Copied';
  } catch {
    getSelection().selectAllChildren(node);
    return 'Selected';
  }
};

// An instant in a time zone, in the language's format, or in English where this browser has no names of its months ("2026 M01 16");
// '' for a zone that it does not know.
export const localTime = (instant, zone, style, lang = 'en-GB') => {
  try {
    const [own, english] = [lang, 'en-GB'].map((tag) => new Intl.DateTimeFormat(tag, { ...style, timeZone: zone || undefined }).format(instant));
    return /\bM\d/.test(own) ? english : own;
  } catch {
    return '';
  }
};
