/* Wishes and answers: waits until the typing pauses, numbers the wishes, and never shows an answer older than the one
   on show, in whatever order answers come. */
(function () {
  "use strict";
  const ca = (window.creativeai = window.creativeai || {});

  // Enough that a slow server still shows what came before the last word; more would only queue up.
  const MAX_IN_FLIGHT = 2;

  /**
   * @param ask (request, signal) => Promise of an answer
   * @param show (request, answer) called with answers that are still wanted, oldest first
   * @param fail (problem, request) called when the newest wish could not be met
   * @param busy (boolean) whether a wish is waiting or under way
   */
  ca.createArtist = function ({ ask, show, fail, busy }) {
    let latest = 0;
    let shown = 0;
    let timer = null;
    const inFlight = new Map();

    function abortAllBut(num) {
      const old = [...inFlight.keys()].slice(0, Math.max(0, inFlight.size - num));
      for (const number of old) {
        inFlight.get(number).abort();
        inFlight.delete(number);
      }
    }

    const report = () => busy(timer !== null || inFlight.size > 0);

    async function send(number, request) {
      timer = null;
      const controller = new AbortController();
      inFlight.set(number, controller);
      abortAllBut(MAX_IN_FLIGHT);
      try {
        const answer = await ask(request, controller.signal);
        if (number > shown) {
          shown = number;
          show(request, answer);
        }
      } catch (problem) {
        if (problem.name !== "AbortError" && number === latest) fail(problem, request);
      } finally {
        inFlight.delete(number);
        report();
      }
    }

    return {
      /** Ask for this after a pause; a later wish within the pause takes its place. */
      wish(request, pauseMs) {
        clearTimeout(timer);
        const number = ++latest;
        timer = setTimeout(() => send(number, request), pauseMs);
        report();
      },
      /** Forget every wish, under way or not. */
      forget() {
        clearTimeout(timer);
        timer = null;
        shown = ++latest;
        abortAllBut(0);
        report();
      },
    };
  };
})();
