"""Memory of a process with one model, before and after many pictures of different texts (Linux).

    python benchmarks/engine_memory.py [--model NAME|PATH] [--num 1000] [--threads 2]

The texts differ in length too, up to the longest a request may have. `server_memory.py` measures the whole
server.
"""

import os
from pathlib import Path

from creativeai.bundles import find_bundle, read_bundle
from creativeai.engine import Engine, PictureRequest
from creativeai.engine.validation import MAX_TEXT_LENGTH
from measuring import different_texts, option_parser, report

BATCH = 8


def resident_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--num", type=int, default=1000, help="pictures")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    path = find_bundle(arguments.model)
    engine = Engine(read_bundle(path), arguments.threads)
    texts = different_texts(arguments.num)
    texts = [(text + " ") * (1 + index % 10) for index, text in enumerate(texts)]
    requests = [PictureRequest(text[:MAX_TEXT_LENGTH], seed) for seed, text in enumerate(texts)]
    memory = {0: resident_mb()}
    for start in range(0, arguments.num, BATCH):
        engine.generate(requests[start : start + BATCH])
        done = min(start + BATCH, arguments.num)
        if done in (BATCH, arguments.num) or done % 200 == 0:
            memory[done] = resident_mb()
    rounded = {done: round(megabytes) for done, megabytes in memory.items()}
    told = ", ".join(f"{megabytes} MB after {done}" for done, megabytes in rounded.items())
    report("engine_memory", f"{path.name}: {told}", model=path.name, resident_mb=rounded)


if __name__ == "__main__":
    main()
