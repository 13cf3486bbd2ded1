/* The sentence: the box grows with it, its type shrinks when it gets long, and words the model can't use are marked. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  let unknown = [];

  const escaped = (word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  /** Split text at the unknown words: [plain, unknown, plain, ...]. */
  function split(text) {
    if (!unknown.length) return [text];
    const words = unknown.map(escaped).sort((a, b) => b.length - a.length);
    return text.split(new RegExp(`(?<![\\p{L}\\p{N}])(${words.join("|")})(?![\\p{L}\\p{N}])`, "giu"));
  }

  ca.sentence = {
    /** Draw the layer behind the text box. */
    mirror(text) {
      const shown = text || document.getElementById("text").placeholder;
      const parts = split(shown).map((part, i) => {
        if (i % 2 === 0) return part;
        const mark = document.createElement("mark");
        mark.textContent = part;
        return mark;
      });
      // A line break at the end is only given room when something follows it.
      document.getElementById("mirror").replaceChildren(...parts, "\u200b");
      const length = text.length > 160 ? "long" : text.length > 64 ? "medium" : "short";
      document.documentElement.dataset.sentence = length;
    },
    mark(words, text) {
      unknown = words;
      ca.sentence.mirror(text);
    },
  };
})();
