/* The pictures. Tiles stay where they are and only their picture changes, so that typing moves nothing on the page. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const box = () => document.getElementById("gallery");
  let pictures = [];

  function open(tile) {
    const index = [...box().children].indexOf(tile);
    if (pictures[index]) ca.lightbox.open(pictures, index);
  }

  function resize(num) {
    const gallery = box();
    while (gallery.children.length > num) gallery.lastChild.remove();
    while (gallery.children.length < num) gallery.append(ca.tile.create(open));
  }

  ca.gallery = {
    show(newPictures) {
      pictures = newPictures;
      resize(pictures.length);
      const tiles = box().children;
      pictures.forEach((picture, i) => {
        ca.tile.paint(tiles[i], picture, `${picture.text}, picture ${i + 1} of ${pictures.length}`);
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
