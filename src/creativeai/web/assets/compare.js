/* The same sentence and seeds by several models: a row a model, a column a seed. Each row has an artist of its own, so
   that a slow or failing model holds up no other. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const MAX_MODELS = 8;
  const NUM_PICTURES = 4;
  const NUM_SEEDS = 2 ** 32;
  const RETRY_MS = 1500;

  let models = [];
  let chosen = null; // ids; null is all that may be
  let request = null;
  let rows = [];

  const element = (id) => document.getElementById(id);
  const ids = () => models.map(({ id }) => id).filter((id, i) => (chosen ? chosen.includes(id) : i < MAX_MODELS));

  // --- one row ---

  function createRow(model, report) {
    const box = document.createElement("section");
    box.className = "compare-row";
    box.setAttribute("aria-label", model.title || model.id);
    box.innerHTML = '<div class="row-head"><h3></h3><p role="status"></p></div><div class="row-pictures"></div>';
    box.querySelector("h3").textContent = model.title || model.id;
    const note = box.querySelector("p");
    const tiles = Array.from({ length: NUM_PICTURES }, (_, column) => ca.tile.create(() => openColumn(row, column)));
    box.querySelector(".row-pictures").append(...tiles);

    const row = { id: model.id, box, pictures: [], unknown: [], isBusy: false, wanted: null };
    const artist = ca.createArtist({
      ask: ca.api.pictures,
      show(asked, answer) {
        row.pictures = answer.pictures.map((picture) => ({ ...asked, ...picture }));
        row.unknown = answer.unknown_words;
        row.pictures.forEach((picture, i) => {
          ca.tile.paint(tiles[i], picture, `${picture.text}, seed ${picture.seed}, by ${model.title || model.id}`);
        });
        const unknown = row.unknown.length ? `, without ${row.unknown.map((word) => `“${word}”`).join(", ")}` : "";
        note.textContent = `${Math.round(answer.duration_ms)} ms${unknown}`;
        box.dataset.state = "drawn";
        report.shown(asked);
      },
      fail(problem, asked) {
        note.textContent = problem.message;
        box.dataset.state = "failed";
        // A lost or busy model may come back; a refused sentence stays refused.
        const pause = { away: RETRY_MS, busy: 1000 * (problem.retryAfter || 1) }[problem.kind];
        if (pause) artist.wish(asked, pause);
      },
      busy(isBusy) {
        row.isBusy = isBusy;
        report.busy();
      },
    });
    row.wish = function (wanted, pauseMs) {
      const key = JSON.stringify(wanted);
      if (row.wanted === key) return;
      row.wanted = key;
      artist.wish({ ...wanted, model: model.id, n: NUM_PICTURES }, pauseMs);
    };
    row.forget = () => artist.forget();
    return row;
  }

  /** Open a picture large, with those of the same seed by the other models as its neighbours. */
  function openColumn(row, column) {
    const drawn = rows.filter(({ pictures }) => pictures[column]);
    if (!row.pictures[column]) return;
    ca.lightbox.open(drawn.map(({ pictures }) => pictures[column]), drawn.indexOf(row));
  }

  // --- all rows ---

  const report = {
    busy: () => (document.documentElement.dataset.busy = String(rows.some(({ isBusy }) => isBusy))),
    shown({ text, seed, truncation }) {
      // An answer to what was wanted before the last word is shown, but not noted.
      if (JSON.stringify({ text, seed, truncation }) !== JSON.stringify(request)) return;
      const seeds = Array.from({ length: NUM_PICTURES }, (_, i) => `seed ${(seed + i) % NUM_SEEDS}`);
      element("compare-seeds").replaceChildren(
        ...seeds.map((seed) => Object.assign(document.createElement("span"), { textContent: seed }))
      );
      ca.compared(request, {
        ids: ids(),
        pictures: rows.flatMap(({ pictures }) => pictures.slice(0, 1)),
        unknown: [...new Set(rows.flatMap(({ unknown }) => unknown))],
      });
    },
  };

  function showRows() {
    const wanted = ids();
    rows.filter(({ id }) => !wanted.includes(id)).forEach((row) => row.forget());
    rows = wanted.map(
      (id) => rows.find((row) => row.id === id) || createRow(models.find((model) => model.id === id), report)
    );
    element("compare-rows").replaceChildren(...rows.map(({ box }) => box));
    report.busy();
  }

  function showChoice() {
    const boxes = models.map(({ id, title }) => {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: id });
      box.checked = ids().includes(id);
      box.disabled = !box.checked && ids().length >= MAX_MODELS;
      label.title = box.disabled ? `At most ${MAX_MODELS} at once` : "";
      label.append(box, title || id);
      box.addEventListener("change", () => toggle(id, box.checked));
      return label;
    });
    element("compare-models").replaceChildren(...boxes);
  }

  function toggle(id, isChosen) {
    chosen = isChosen ? [...ids(), id] : ids().filter((other) => other !== id);
    showChoice();
    showRows();
    // The new boxes are others than the one just used.
    element("compare-models").querySelector(`[value="${CSS.escape(id)}"]`).focus();
    if (!request) return;
    ca.compare.draw(request, 0);
    if (rows.some(({ pictures }) => pictures.length)) report.shown(request);
  }

  ca.compare = {
    /** What models there are, and which of them to compare; null leaves the choice as it is. */
    setModels(known, wanted) {
      models = known;
      const here = (wanted || []).filter((id) => models.some((model) => model.id === id));
      if (here.length) chosen = here.slice(0, MAX_MODELS);
      showChoice();
    },
    /** Draw text, seed and truncation with every chosen model. */
    draw(wanted, pauseMs) {
      request = wanted;
      if (String(rows.map(({ id }) => id)) !== String(ids())) showRows();
      rows.forEach((row) => row.wish(wanted, pauseMs));
    },
    clear() {
      request = null;
      rows.forEach((row) => row.forget());
      rows = [];
      element("compare-rows").replaceChildren();
      element("compare-seeds").replaceChildren();
    },
  };
})();
