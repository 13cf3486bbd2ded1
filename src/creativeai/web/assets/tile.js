/* One picture as a button: it stays where it is and only its picture changes. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  ca.tile = {
    create(open) {
      const tile = document.createElement("button");
      tile.type = "button";
      tile.className = "tile";
      tile.innerHTML = '<span class="frame"></span><span class="tag"></span>';
      tile.addEventListener("click", () => open(tile));
      return tile;
    },
    /** Put a picture over the one before it and fade it in once it is decoded: no blank moment in between. */
    async paint(tile, picture, label) {
      const image = new Image();
      image.alt = label;
      image.src = picture.src;
      tile.wanted = image;
      await image.decode().catch(() => {});
      if (tile.wanted !== image) return;
      const frame = tile.querySelector(".frame");
      frame.append(image);
      tile.querySelector(".tag").textContent = `seed ${picture.seed}`;
      tile.classList.toggle("is-first", Boolean(picture.isFirst));
      tile.classList.add("is-drawn");
      await Promise.allSettled(image.getAnimations().map((animation) => animation.finished));
      while (frame.firstChild !== image && frame.contains(image)) frame.firstChild.remove();
    },
  };
})();
