/* The page's address: it holds what is shown, so that it can be passed on. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  const NUM_SEEDS = 2 ** 32;

  ca.address = {
    /** Address of the page with this picture first, or with these models (by id) compared. */
    of({ text, model, seed, truncation, compare = [] }) {
      const url = new URL(window.location.href);
      url.search = new URLSearchParams({ text, model, seed, variety: truncation });
      compare.forEach((id) => url.searchParams.append("compare", id));
      url.hash = "";
      return url.href;
    },
    /** What this address asks for; seed and truncation are undefined where they are missing or wrong. */
    read() {
      const query = new URLSearchParams(window.location.search);
      const seed = Number(query.get("seed") || NaN);
      const truncation = Number(query.get("variety") || NaN);
      return {
        text: query.get("text") || "",
        model: query.get("model"),
        seed: Number.isInteger(seed) && seed >= 0 && seed < NUM_SEEDS ? seed : undefined,
        truncation: truncation >= 0 && truncation <= 1 ? truncation : undefined,
        compare: query.getAll("compare"),
      };
    },
  };
})();
