"""Memory of a server with one model after some numbers of requests from 16 clients (Linux).

    python benchmarks/server_memory.py [--model NAME] [--requests 0 100 1000 2000] [--clients 16]

The resident memory of all the server's processes is added up, pages they share counted twice.
"""

import os
from pathlib import Path

from creativeai.bundles import find_bundle
from measuring import option_parser, report
from serving import run_clients, running_server


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    process = Path("/proc") / str(pid)
    [line] = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS")]
    children = (process / "task" / str(pid) / "children").read_text().split()
    return int(line.split()[1]) / 1024 + sum(resident_mb(int(child)) for child in children)


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("--requests", type=int, nargs="+", default=[0, 100, 1000, 2000])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()

    path = find_bundle(args.model)
    with running_server(path, args.threads) as (process, url):
        num_done, memory = 0, {}
        for num_requests in sorted(args.requests):
            run_clients(url, path.name, args.clients, iter(range(num_done, num_requests)))
            num_done = num_requests
            memory[num_done] = round(resident_mb(process.pid))
    told = ", ".join(f"{megabytes} MB after {count:,} requests" for count, megabytes in memory.items())
    report("server memory with one model", told, value=memory.get(1000), megabytes=memory)


if __name__ == "__main__":
    main()
