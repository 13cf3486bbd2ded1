/* The pictures. Tiles stay where they are and only their picture changes, so that typing moves nothing on the page. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const box = () => document.getElementById("gallery");
  let pictures = [];

  function addTile() {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    tile.innerHTML = '<span class="frame"></span><span class="tag"></span>';
    tile.addEventListener("click", () => {
      const index = [...box().children].indexOf(tile);
      if (pictures[index]) ca.lightbox.open(pictures, index);
    });
    box().append(tile);
    return tile;
  }

  function resize(num) {
    const gallery = box();
    while (gallery.children.length > num) gallery.lastChild.remove();
    while (gallery.children.length < num) addTile();
  }

  /** Put a picture over the one before it and fade it in once it is decoded: no blank moment in between. */
  async function paint(tile, picture, label) {
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
  }

  ca.gallery = {
    show(newPictures) {
      pictures = newPictures;
      resize(pictures.length);
      const tiles = box().children;
      pictures.forEach((picture, i) => {
        paint(tiles[i], picture, `${picture.text}, picture ${i + 1} of ${pictures.length}`);
      });
    },
    /** Make room for a larger set while it is drawn. */
    reserve(num) {
      if (box().children.length < num) resize(num);
    },
    clear() {
      pictures = [];
      resize(0);
    },
    pictures: () => pictures,
  };
})();
