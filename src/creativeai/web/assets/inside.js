/* How the large picture came about: its stages side by side, and where the model looked for each word. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"];
  const HINT = "Point at a word, or tap it, to see where the model looked for it.";
  // From no attention to the most, over the picture: red, green, blue, opacity.
  const HEAT = [
    [6, 20, 19, 0.64],
    [10, 113, 108, 0.6],
    [226, 87, 28, 0.5],
    [255, 214, 140, 0.52],
  ];

  let current = null;
  let asking = new AbortController();
  let entries = [];
  let map = 0; // which of the model's attention maps, coarse to fine
  let pinned = null; // the word that stays when none is pointed at

  const element = (id) => document.getElementById(id);

  /** The window's parts are only there while it is open. */
  function mounted(id) {
    return new Promise((resolve) => {
      const look = () => (element(id) ? resolve(element(id)) : requestAnimationFrame(look));
      look();
    });
  }

  function button(className, content, run) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.append(...content);
    made.addEventListener("click", run);
    return made;
  }

  const press = (buttons, index) =>
    [...buttons].forEach((one, i) => one.setAttribute("aria-pressed", String(i === index)));

  // --- stages ---

  function stageButton(side, index) {
    const name = document.createElement("span");
    name.innerHTML = `Stage ${NUMERALS[index] || index + 1} <small>${Number(side)} px</small>`;
    const image = new Image();
    image.alt = "";
    return button("stage-tile", [image, name], () => showStage(index));
  }

  /** Show a stage large; the last one is the picture itself, smoothly enlarged. */
  function showStage(index) {
    const tiles = element("stages").children;
    const coarse = element("coarse");
    const src = tiles[index].querySelector("img").src;
    coarse.hidden = index === tiles.length - 1 || !src;
    if (!coarse.hidden) Object.assign(coarse, { src, alt: `${current.text}, stage ${index + 1}` });
    press(tiles, index);
    unpin();
  }

  function showStages(sides) {
    const box = element("stages");
    box.replaceChildren(...(sides.length > 1 ? sides.map(stageButton) : []));
    box.style.setProperty("--columns", Math.max(3, sides.length));
    element("coarse").hidden = true;
    press(box.children, sides.length - 1);
  }

  // --- attention ---

  /** Letters without their accents and case, as text encoders read them; as long as the text itself. */
  const folded = (text) =>
    text.replace(/./gsu, (letter) => {
      const plain = letter.normalize("NFD")[0].toLowerCase();
      return plain.length === letter.length ? plain : letter;
    });

  /** Where a word of the encoder's is in the text from a place on: right there (a piece of a word), or a new word. */
  function find(word, text, from) {
    if (text.startsWith(word, from)) return from;
    const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const place = new RegExp(`(?<![\\p{L}\\p{N}])${escaped}`, "gu");
    place.lastIndex = from;
    return (place.exec(text) || { index: -1 }).index;
  }

  /** The sentence in its own spelling, with a button for each of its word places: [text, button, text, ...]. */
  function sentence(text, words) {
    const written = text.normalize("NFC");
    const parts = [];
    let end = 0;
    for (const [index, word] of words.entries()) {
      const start = find(folded(word), folded(written), end);
      // Not in the sentence as it stands: the words as the encoder has them.
      if (start < 0) return words.flatMap((one, i) => [wordButton(one, i), " "]);
      parts.push(written.slice(end, start));
      end = start + word.length;
      parts.push(wordButton(written.slice(start, end), index));
    }
    return [...parts, written.slice(end)];
  }

  function wordButton(text, index) {
    const made = button("word", [text], () => {
      pinned = pinned === index ? null : index;
      press(element("words").children, pinned);
      look(pinned);
    });
    made.setAttribute("aria-pressed", "false");
    made.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && look(index));
    made.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && look(pinned));
    made.addEventListener("focus", () => made.matches(":focus-visible") && look(index));
    made.addEventListener("blur", () => look(pinned));
    return made;
  }

  /** Let go of the word that was tapped. */
  function unpin() {
    pinned = null;
    press(element("words").children, null);
    look(null);
  }

  const sides = () => [...new Set(entries.map((entry) => entry.resolution))];

  function heatOf(grey) {
    const place = (grey / 255) * (HEAT.length - 1);
    const below = Math.min(Math.floor(place), HEAT.length - 2);
    return HEAT[below].map((value, i) => value + (HEAT[below + 1][i] - value) * (place - below));
  }

  async function look(index) {
    const heat = element("heat");
    if (!heat) return;
    heat.looked = index;
    [...element("words").children].forEach((word, i) => word.classList.toggle("is-looked-for", i === index));
    element("attention-note").textContent = HINT;
    heat.hidden = heat.hidden || index === null;
    if (index === null) return;
    const entry = entries.filter(({ resolution }) => resolution === sides()[map])[index];
    const image = new Image();
    image.src = entry.src;
    await image.decode();
    if (heat.looked !== index) return;
    heat.width = heat.height = entry.resolution;
    const context = heat.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, heat.width, heat.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      const [red, green, blue, opacity] = heatOf(pixels.data[i]);
      pixels.data.set([red, green, blue, 255 * opacity], i);
    }
    context.putImageData(pixels, 0, 0);
    heat.hidden = false;
    const word = element("words").children[index].textContent;
    const percent = Math.round(100 * entry.max_weight);
    element("attention-note").textContent = `Where it is brightest, “${word}” has ${percent}% of the attention.`;
  }

  function showAttention(attention) {
    entries = attention;
    const words = entries.filter(({ resolution }) => resolution === sides()[0]).map(({ word }) => word);
    map = Math.max(0, sides().length - 1);
    pinned = null;
    element("words").replaceChildren(...(words.length ? sentence(current.text, words) : []));
    element("large-text").hidden = words.length > 0;
    const buttons = sides().map((side, i) =>
      button("map-choice", [`${side} px`], () => {
        map = i;
        press(element("maps").children, map);
        look(pinned);
      })
    );
    element("maps").replaceChildren(...(buttons.length > 1 ? buttons : []));
    element("maps").parentElement.hidden = buttons.length < 2;
    press(buttons, map);
    look(null);
    if (!words.length) element("attention-note").textContent = "";
  }

  ca.inside = {
    /** Show how a picture came about, if its model tells. */
    async show(picture) {
      current = picture;
      asking.abort();
      asking = new AbortController();
      const model = ca.findModel(picture.model) || {};
      const stages = model.stages || [];
      const attends = Boolean((model.attention || []).length);
      const body = await mounted("picture-inside");
      if (current !== picture) return;
      body.classList.toggle("has-stages", stages.length > 1);
      showStages(stages);
      showAttention([]);
      if (stages.length < 2 && !attends) return;
      try {
        picture.inside = picture.inside || (await ca.api.inside(picture, attends, asking.signal));
      } catch (problem) {
        if (current === picture && problem.name !== "AbortError") {
          element("attention-note").textContent = `How it was drawn can’t be shown: ${problem.message}`;
        }
        return;
      }
      if (current !== picture || !element("stages")) return;
      [...element("stages").children].forEach((tile, i) => {
        tile.querySelector("img").src = picture.inside.stages[i];
      });
      showAttention(picture.inside.attention);
    },
  };
})();
