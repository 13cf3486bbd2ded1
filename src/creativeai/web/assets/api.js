/* The page's requests to its own server, and what can go wrong with them. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  /** Why there are no pictures: kind is away, busy, refused or failed (see web/client.py). */
  class Problem extends Error {
    constructor(kind, message, retryAfter) {
      super(message);
      this.kind = kind;
      this.retryAfter = retryAfter;
    }
  }

  async function call(path, options) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem("away", "This page’s server does not answer.");
    }
    const body = await response.json().catch(() => null);
    if (response.ok && body) return body;
    const error = (body && body.error) || {};
    throw new Problem(error.kind || "away", error.message || "The server is away.", error.retry_after);
  }

  ca.api = {
    status: () => call("api/status"),
    pictures: ({ text, model, seed, truncation, n }, signal) =>
      call("api/pictures", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ text, model, seed, truncation, n }),
        signal,
      }),
    /** Address of one picture as a file: it is a function of these four. */
    pictureUrl: (file, { text, model, seed, truncation }) =>
      `api/${file}?${new URLSearchParams({ text, model, seed, truncation })}`,
    /** A picture's stages and, if asked for, its attention to each word. */
    inside: (picture, attention, signal) =>
      call(ca.api.pictureUrl("picture-inside", picture) + (attention ? "&attention=true" : ""), { signal }),
    samplesUrl: (model) => `api/models/${encodeURIComponent(model)}/samples`,
  };
})();
