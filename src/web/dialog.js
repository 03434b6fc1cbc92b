// Masthead: what its dialogs have in common. The build puts this before masthead.choice.js and masthead.hours.js, and before this the
// table `languages`, from widget/words.txt.

const STYLE_MS = 1000; // for the dialog's own style to come

// The table of a page's language, and its tag.
const spoken = (lang) =>
  Object.entries(languages).find(([tag]) => lang.split(/[-_]/)[0].toLowerCase() == tag) ?? ['en', languages.en];

const make = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

// The button that closes a dialog; the style puts it at the top.
const closing = (label) => make('button', { type: 'button', className: 'masthead-close', textContent: '✕', ariaLabel: label,
  onclick: ({ target }) => target.closest('dialog').close() });

let style;

// Opens a dialog for the element that was pressed, with the style from beside its widget's endpoint `url`, and then calls `opened`.
// Escape and the backdrop close it. What is closed is removed, and the focus goes back.
const open = (dialog, pressed, url, opened) => {
  if (document.querySelector('.masthead-dialog')) return; // it was pressed twice
  const fit = () => { // beside a keyboard, whatever is zoomed
    const { height, scale } = visualViewport;
    dialog.style.setProperty('--masthead-block-size', `${height * scale}px`);
  };
  const show = () => {
    if (dialog.open || !dialog.isConnected) return;
    dialog.showModal();
    opened?.();
  };
  dialog.classList.add('masthead-dialog');
  dialog.addEventListener('click', ({ target }) => target == dialog && dialog.close());
  dialog.addEventListener('close', () => {
    visualViewport?.removeEventListener('resize', fit);
    dialog.remove();
    pressed.focus();
  });
  visualViewport?.addEventListener('resize', fit);
  document.body.append(dialog);
  if (style?.isConnected) return show();
  style = make('link', { rel: 'stylesheet', href: new URL('masthead.dialog.css', url), onload: show, onerror: show });
  document.head.prepend(style); // the page's own rules go before it
  setTimeout(show, STYLE_MS);
};
