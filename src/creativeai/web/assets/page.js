/* The page's state, and the functions Dash calls when a control changes (see web/callbacks.py). */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const LIVE_PICTURES = 4;
  const TYPING_PAUSE_MS = 180;
  const DRAGGING_PAUSE_MS = 60;
  const SETTLED_MS = 1200;
  const RECONNECT_MS = 1500;
  const LESS_VARIETY = 0.6;
  const NUM_SEEDS = 2 ** 32;

  const state = { text: "", model: null, seed: 0, truncation: 1, count: LIVE_PICTURES, setSize: 12 };
  let models = [];
  let linked = {};
  let connecting = null;
  let settling = null;

  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const root = document.documentElement.dataset;
  const element = (id) => document.getElementById(id);
  const newSeed = () => Math.floor(Math.random() * 1e6);
  const hasText = () => state.text.trim() !== "";
  const chosenModel = () => ca.findModel(state.model);
  const isComparing = () => root.view === "compare";
  ca.findModel = (id) => models.find((model) => model.id === id);
  ca.modelTitle = (id) => (ca.findModel(id) || {}).title || id;

  const artist = ca.createArtist({
    ask: ca.api.pictures,
    show: showAnswer,
    fail: showProblem,
    busy: (isBusy) => (root.busy = String(isBusy)),
  });

  // --- what is on the page ---

  function note(kind, text) {
    root.note = kind;
    element("note").textContent = text;
  }

  function showAnswer({ text, model, seed, truncation, first }, answer) {
    const drawn = answer.pictures.map((picture) => ({ ...picture, text, model, truncation }));
    const pictures = first ? [{ ...first, isFirst: true }, ...drawn] : drawn;
    ca.gallery.show(pictures);
    ca.sentence.mark(answer.unknown_words, state.text);
    const unknown = answer.unknown_words.map((word) => `“${word}”`).join(", ");
    note(unknown ? "unknown" : "", unknown ? `The model can’t use ${unknown}; it drew the rest.` : "");
    element("timing").textContent = `${drawn.length} pictures in ${Math.round(answer.duration_ms)} ms`;
    element("gallery-note").textContent = first
      ? `More like seed ${first.seed}, with variety ${truncation.toFixed(2)}`
      : "";
    root.state = "drawn";
    // What leads back here: the first picture's own seed and variety.
    const shown = { text, model, seed: pictures[0].seed, truncation: pictures[0].truncation };
    window.history.replaceState(null, "", ca.address.of(shown));
    remember({ ...shown, count: pictures.length }, pictures, `${pictures.length} pictures of ${text}`);
  }

  /** Keep a sentence in the history once nothing changes any more. */
  function remember(entry, pictures, announcement) {
    clearTimeout(settling);
    settling = setTimeout(() => {
      element("announcer").textContent = announcement;
      ca.history.add(entry, pictures);
    }, SETTLED_MS);
  }

  /** A model of the comparison has drawn; pictures has the first of each. */
  ca.compared = function ({ text, seed, truncation }, { ids, pictures, unknown }) {
    ca.sentence.mark(unknown, state.text);
    note("", "");
    const entry = { text, model: state.model, seed, truncation, count: LIVE_PICTURES, compare: ids };
    window.history.replaceState(null, "", ca.address.of(entry));
    remember(entry, pictures, `${text}, drawn by ${pictures.length} models`);
  };

  function showProblem(problem, request) {
    if (problem.kind === "away") {
      reconnect(problem);
      return;
    }
    if (problem.kind === "busy") {
      note("busy", "The model server is busy; your sentence is waiting its turn.");
      artist.wish(request, 1000 * (problem.retryAfter || 1));
      return;
    }
    note(problem.kind, problem.message);
    root.state = "refused";
  }

  function showEmpty() {
    artist.forget();
    ca.gallery.clear();
    ca.compare.clear();
    ca.sentence.mark([], state.text);
    if (root.note !== "away") note("", "");
    root.state = "empty";
    window.history.replaceState(null, "", window.location.pathname);
  }

  // --- drawing ---

  /** Draw what the controls say. */
  function draw(pauseMs) {
    clearTimeout(settling);
    if (!hasText()) return showEmpty();
    if (root.state === "empty") {
      root.state = "drawing";
      if (!isComparing()) ca.gallery.reserve(LIVE_PICTURES);
    }
    // Without a model the server has not answered yet; connecting draws.
    if (!state.model) return;
    const { model, seed, truncation, count } = state;
    const wanted = { text: state.text.trim(), seed, truncation };
    if (isComparing()) ca.compare.draw(wanted, pauseMs);
    else artist.wish({ ...wanted, model, n: count }, pauseMs);
  }

  /** Show one model's pictures, or those of several. */
  function setView(view) {
    if (root.view === view) return;
    root.view = view;
    element("compare").setAttribute("aria-pressed", String(isComparing()));
    artist.forget();
    ca.gallery.clear();
    ca.compare.clear();
    if (root.note !== "away") note("", "");
  }

  /** Set state and controls alike, so that `changed` finds nothing new. */
  function assign(values) {
    Object.assign(state, values);
    if ("text" in values) {
      set("text", { value: state.text });
      ca.sentence.mirror(state.text);
    }
    if ("seed" in values) set("seed", { value: state.seed });
    if ("model" in values) showModel();
    if ("truncation" in values) {
      set("variety", { value: state.truncation });
      showVariety();
    }
  }

  function showVariety() {
    element("variety-value").textContent = state.truncation.toFixed(2);
  }

  ca.restore = function ({ text, model, seed, truncation, count, compare }) {
    setView(compare ? "compare" : "one");
    ca.compare.setModels(models, compare);
    assign({ text, seed, truncation, count, ...(ca.findModel(model) ? { model } : {}) });
    draw(0);
    window.scrollTo({ top: 0 });
  };

  // --- models, and whether the server is there ---

  async function connect() {
    try {
      models = (await ca.api.status()).models;
    } catch (problem) {
      reconnect(problem);
      return;
    }
    if (!models.length) {
      note("refused", "The model server has no models.");
      return;
    }
    if (!hasText()) note("", "");
    set("models", { data: models });
    root.models = models.length > 1 ? "several" : "one";
    ca.compare.setModels(models, linked.compare);
    if (models.length === 1) setView("one");
    if (!chosenModel()) choose(models.some((model) => model.id === linked.model) ? linked.model : models[0].id);
    draw(0);
  }

  function reconnect(problem) {
    note("away", `${problem.message} This page keeps trying and goes on by itself.`);
    clearTimeout(connecting);
    connecting = setTimeout(connect, RECONNECT_MS);
  }

  function choose(id) {
    const model = models.find((known) => known.id === id);
    const truncation = linked.truncation ?? model.default_truncation ?? 1;
    linked = {};
    assign({ model: id, truncation });
  }

  function showModel() {
    const model = chosenModel();
    root.model = model.id;
    set("chosen", { data: model.id });
    set("chosen-title", { children: ca.modelTitle(model.id) });
    ca.examples.show(model, useText);
  }

  function useText(text) {
    assign({ text, count: LIVE_PICTURES });
    draw(0);
  }

  // --- called by Dash ---

  const page = {
    start() {
      linked = ca.address.read();
      root.state = "empty";
      setView(linked.compare.length ? "compare" : "one");
      assign({ text: linked.text, seed: linked.seed ?? newSeed() });
      listen();
      connect();
      // A phone would bring up its keyboard.
      if (!state.text && matchMedia("(hover: hover)").matches) element("text").focus();
    },
    changed(text, model, seed, truncation) {
      const values = { text: text || "", truncation };
      if (typeof seed === "number") values.seed = seed;
      const names = Object.keys(values).filter((name) => values[name] !== state[name]);
      if (!names.length) return;
      Object.assign(state, values);
      showVariety();
      if (names.includes("text")) {
        ca.sentence.mirror(state.text);
        state.count = LIVE_PICTURES;
      }
      draw(names.includes("text") ? TYPING_PAUSE_MS : DRAGGING_PAUSE_MS);
    },
    setSizeChanged(size) {
      state.setSize = Number(size);
      set("draw", { children: `Draw ${size}` });
    },
    drawSet() {
      if (!hasText()) return element("text").focus();
      if (isComparing()) return draw(0);
      state.count = state.setSize;
      ca.gallery.reserve(state.count);
      draw(0);
    },
    newSeed() {
      assign({ seed: newSeed() });
      draw(0);
    },
    surprise() {
      const others = ((chosenModel() || {}).examples || []).filter((text) => text !== state.text);
      if (!others.length) return;
      assign({ seed: newSeed() });
      useText(others[Math.floor(Math.random() * others.length)]);
    },
    choose() {
      const { triggered } = window.dash_clientside.callback_context;
      if (!triggered.length || !triggered[0].value) return;
      choose(JSON.parse(triggered[0].prop_id.replace(/\.n_clicks$/, "")).model);
      set("models-drawer", { opened: false });
      draw(0);
    },
    toggleCompare() {
      setView(isComparing() ? "one" : "compare");
      state.count = LIVE_PICTURES;
      if (hasText() && !isComparing()) ca.gallery.reserve(LIVE_PICTURES);
      draw(0);
    },
    openModels: () => set("models-drawer", { opened: true }),
    showHistory: (entries) => ca.history.show(entries),
    clearHistory() {
      clearTimeout(settling);
      ca.history.clear();
    },
    step() {
      const { triggered } = window.dash_clientside.callback_context;
      ca.lightbox.step(triggered[0].prop_id.startsWith("previous") ? -1 : 1);
    },
    copyLink: () => void ca.lightbox.copyLink(),
    moreLikeThis() {
      const first = ca.lightbox.current();
      ca.lightbox.close();
      const { text, model, seed, truncation } = first;
      setView("one");
      assign({ text, seed, truncation, count: state.setSize, ...(model === state.model ? {} : { model }) });
      ca.gallery.reserve(state.setSize);
      artist.wish(
        { text, model, seed: (seed + 1) % NUM_SEEDS, truncation: LESS_VARIETY * truncation, n: state.setSize - 1, first },
        0
      );
    },
  };

  function listen() {
    element("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      page.drawSet();
    });
    document.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by && document.querySelector(".lightbox")) ca.lightbox.step(by);
    });
    // A model may come without samples.
    document.addEventListener("error", ({ target }) => (target.hidden = target.matches("#samples img, .samples")), true);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    page: Object.fromEntries(
      Object.entries(page).map(([name, run]) => [
        name,
        (...values) => {
          run(...values);
          return window.dash_clientside.no_update;
        },
      ])
    ),
  });
})();
