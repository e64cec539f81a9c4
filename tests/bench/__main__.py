"""Measure, in one run: 100 MB through the gateway, rows of the embedded org, preflight, results, retries, comparisons with the org, and many clients."""

import argparse
import os
import platform
import sys

from tests.bench import calls, comparisons, many, org, results, retries, rows_in, transfers, waits

PARTS = {
    "gateway": transfers.run,
    "org": org.run,
    "rows": rows_in.run,
    "results": results.run,
    "again": retries.run,
    "many": many.run,
    "calls": calls.run,
    "wait": waits.run,
    "compare": comparisons.run,
}


def main() -> int:
    """Run the parts that the command names, or all; return 1 if a requirement is not met, else 0."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"{' or '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a fifth of the size")
    given = parser.parse_args()
    if unknown := set(given.part) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    print(f"{os.cpu_count()} CPUs, {platform.python_implementation()} {platform.python_version()}.\n", flush=True)
    met = [PARTS[part](quick=given.quick) for part in given.part or PARTS]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
