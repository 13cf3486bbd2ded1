/* What a model offers to start from: its example sentences and its sample grid. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  function button(text, use) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => use(text));
    return made;
  }

  ca.examples = {
    /** Offer the examples of a model; `use` is told which was taken. */
    show(model, use) {
      const buttons = (model.examples || []).map((text) => button(text, use));
      document.getElementById("examples").replaceChildren(...buttons);
      const samples = new Image();
      samples.alt = `Pictures drawn by ${ca.modelTitle(model.id)}`;
      samples.src = ca.api.samplesUrl(model.id);
      document.getElementById("samples").replaceChildren(samples);
    },
  };
})();
