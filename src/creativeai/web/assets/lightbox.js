/* One picture large: its file, its link, its neighbours. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  let pictures = [];
  let index = 0;

  const set = (id, props) => window.dash_clientside.set_props(id, props);

  function fileName({ text, seed }) {
    const words = text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
    return `${words.slice(0, 60) || "picture"}-${seed}.png`;
  }

  function show() {
    const picture = pictures[index];
    set("large", { src: picture.src, alt: `${picture.text}, seed ${picture.seed}` });
    set("large-text", { children: picture.text });
    set("large-seed", { children: String(picture.seed) });
    set("large-variety", { children: picture.truncation.toFixed(2) });
    set("large-model", { children: ca.modelTitle(picture.model) });
    set("download", { href: ca.api.pictureUrl("picture.png", picture), download: fileName(picture) });
    set("copy-text", { children: "Copy link" });
    // The small picture stands in until the smoothly enlarged one is here.
    const large = new Image();
    large.src = ca.api.pictureUrl("picture-large.jpg", picture);
    large.decode().then(
      () => pictures[index] === picture && set("large", { src: large.src }),
      () => {}
    );
    ca.inside.show(picture);
  }

  ca.lightbox = {
    open(list, at) {
      pictures = list;
      index = at;
      show();
      set("lightbox", { opened: true });
    },
    close: () => set("lightbox", { opened: false }),
    step(by) {
      index = (index + by + pictures.length) % pictures.length;
      show();
    },
    current: () => pictures[index],
    async copyLink() {
      const href = ca.address.of(pictures[index]);
      try {
        await navigator.clipboard.writeText(href);
        set("copy-text", { children: "Link copied" });
      } catch {
        // No clipboard without https or leave to use it: show the link to copy by hand.
        window.prompt("Copy this link:", href);
      }
    },
  };
})();
