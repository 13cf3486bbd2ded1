"""The page in a browser: from the end of the typing pause until the pictures are painted, and the first load.

    python benchmarks/page_speed.py [--model NAME|PATH] [--num 40]

`creativeai demo` runs as a user starts it. Needs Chromium and the dev extra; the typing pause of 180 ms
is not in the figure. The API's own part is the duration it reports.
"""

import statistics
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from creativeai.bundles import find_bundle
from measuring import centile, different_texts, option_parser, report

NUM_PICTURES = 4
# One wish as the page makes it, until every picture is decoded (then it is painted with the next frame).
DRAW = """async ({ text, model, n, seed }) => {
  const start = performance.now();
  const answer = await creativeai.api.pictures({ text, model, n, seed, truncation: 1 });
  await Promise.all(answer.pictures.map(({ src }) => {
    const image = new Image();
    image.src = src;
    return image.decode();
  }));
  return [performance.now() - start, answer.duration_ms];
}"""


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--num", type=int, default=40, help="sentences drawn")
    arguments = parser.parse_args()

    model = find_bundle(arguments.model)
    command = [sys.executable, "-m", "creativeai.cli", "demo", "--port", "0", "--api-port", "0"]
    demo = subprocess.Popen([*command, "--models", str(model)], stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        url = demo.stdout.readline().split(" is at ")[1].split()[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=Path("/usr/bin/chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            load_ms, kilobytes = first_load(page, url)
            pairs = draw(page, model.name, arguments.num)
            browser.close()
    finally:
        demo.terminate()
        demo.wait()

    whole, api = ([pair[part] for pair in pairs] for part in (0, 1))
    p50, p95, api_p50 = statistics.median(whole), centile(whole, 95), statistics.median(api)
    report(
        "page_speed",
        f"{model.name}: {NUM_PICTURES} pictures in {p50:.0f} ms (p95 {p95:.0f} ms), {api_p50:.0f} ms of it "
        f"the API's; first load {kilobytes:.0f} KB, ready after {load_ms:.0f} ms",
        model=model.name,
        p50_ms=round(p50, 1),
        p95_ms=round(p95, 1),
        api_p50_ms=round(api_p50, 1),
        first_load_ms=round(load_ms),
        first_load_kb=round(kilobytes),
        num_sentences=arguments.num,
    )


def first_load(page: Page, url: str) -> tuple[float, float]:
    """Milliseconds until the examples are there, with nothing cached, and kilobytes over the wire."""
    sizes: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(url)
    page.locator("#examples button").first.wait_for()
    milliseconds = float(page.evaluate("() => performance.now()"))
    page.wait_for_load_state("networkidle")
    return milliseconds, sum(sizes) / 1024


def draw(page: Page, model: str, num_sentences: int) -> list[tuple[float, float]]:
    """Milliseconds of each sentence: the browser's, and the API's part. The first few are not counted."""
    warmup = 5
    texts = different_texts(warmup + num_sentences)
    pairs = [
        page.evaluate(DRAW, {"text": text, "model": model, "n": NUM_PICTURES, "seed": seed})
        for seed, text in enumerate(texts)
    ]
    return pairs[warmup:]


if __name__ == "__main__":
    main()
