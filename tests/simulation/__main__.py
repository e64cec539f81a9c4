"""Run simulations: `make simulate`, `make simulate SEEDS=10000 FROM=300`, or `make simulate SEED=17` with its story."""

import argparse
import logging
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.runner import Outcome, simulate


def main() -> int:
    """Run what is asked for, print what came of it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--seed", type=int, help="one seed alone, with its story")
    asked = parser.parse_args()
    if asked.seeds < 1:
        parser.error("give at least one seed")
    logging.disable(logging.CRITICAL)
    if asked.seed is not None:
        outcome = simulate(asked.seed)
        print("\n".join(outcome.story.lines))
        return _report([outcome])
    seeds = range(asked.first, asked.first + asked.seeds)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return _report(list(processes.map(simulate, seeds, chunksize=5)))


def _report(outcomes: list[Outcome]) -> int:
    counts = Counter[str]()
    for outcome in outcomes:
        counts += outcome.story.counts
        for broken in outcome.broken:
            print(f"SEED={outcome.seed}: {broken}")
    failing = [outcome.seed for outcome in outcomes if outcome.broken]
    met = ", ".join(f"{name}: {number:,}" for name, number in counts.most_common())
    seeds = f"{outcomes[0].seed} to {outcomes[-1].seed}" if len(outcomes) > 1 else f"{outcomes[0].seed}"
    print(f"Plans of the seeds {seeds}. {met}.")
    if failing:
        print(f"Broke an invariant: {len(failing)} of {len(outcomes)}. Replay one: make simulate SEED={failing[0]}")
    else:
        print("Every invariant held.")
    return int(bool(failing))


if __name__ == "__main__":
    sys.exit(main())
