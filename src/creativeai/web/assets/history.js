/* The visit so far: sentences with a thumbnail of their pictures, kept in a Dash store for as long as the tab lives. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const MAX_ENTRIES = 40;
  const THUMB_PIXELS = 96;
  let entries = [];

  const save = (list) => window.dash_clientside.set_props("history", { data: list });
  const what = ({ text, model, seed, compare }) => JSON.stringify([text, model, seed, compare || null]);
  const isSame = (a, b) => what(a) === what(b);

  /** Four pictures as one small JPEG, so that many fit into the browser's session storage. */
  async function thumbnail(pictures) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 2 * THUMB_PIXELS;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    await Promise.all(
      pictures.slice(0, 4).map(async (picture, i) => {
        const image = new Image();
        image.src = picture.src;
        await image.decode();
        const [x, y] = [(i % 2) * THUMB_PIXELS, Math.floor(i / 2) * THUMB_PIXELS];
        context.drawImage(image, x, y, THUMB_PIXELS, THUMB_PIXELS);
      })
    );
    return canvas.toDataURL("image/jpeg", 0.82);
  }

  function card(entry) {
    const item = document.createElement("li");
    item.innerHTML = '<button type="button"><img alt="" width="96" height="96"><span></span></button>';
    item.querySelector("img").src = entry.thumb;
    item.querySelector("span").textContent = entry.text;
    const button = item.querySelector("button");
    button.setAttribute("aria-label", `Back to: ${entry.text}, seed ${entry.seed}`);
    button.addEventListener("click", () => ca.restore(entry));
    return item;
  }

  ca.history = {
    /** Keep a sentence; one that only goes on from the last is the same thought and takes its place. */
    async add(entry, pictures) {
      const kept = { ...entry, thumb: await thumbnail(pictures) };
      const [last] = entries;
      const goesOn = last && last.seed === kept.seed && kept.text.startsWith(last.text);
      const rest = (goesOn ? entries.slice(1) : entries).filter((other) => !isSame(other, kept));
      save([kept, ...rest].slice(0, MAX_ENTRIES));
    },
    clear: () => save([]),
    show(list) {
      entries = list || [];
      document.getElementById("history-list").replaceChildren(...entries.map(card));
      document.documentElement.dataset.history = entries.length ? "some" : "none";
    },
  };
})();
