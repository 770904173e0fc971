"""How long the scenes run, and what they share."""

from dataclasses import dataclass
from pathlib import Path

from bench.load import Cores
from bench.results import Results


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds and seconds. All of FULL takes a quarter of an hour at most, all of QUICK three minutes."""

    rounds: int
    """Through all servers, where one run is short."""
    few: int
    """Through all servers, where one run is long or starts a server."""
    starts: int
    """Of each server."""
    most_s: float
    """A run with as many queries as the server takes."""
    fixed_s: float
    """A run with a fixed rate: longer, for the percentiles."""
    slow_s: float
    """A run at low load: longer still, as the kernel counts CPU time in steps (of 10 ms, mostly)."""
    churn_s: float
    events_s: float
    repeats: int
    """Runs of one table that are made again because they were disturbed."""


FULL = Effort(
    rounds=5, few=3, starts=5, most_s=1.2, fixed_s=2.5, slow_s=6.0, churn_s=4.0, events_s=10.0, repeats=5
)
QUICK = Effort(
    rounds=1, few=1, starts=1, most_s=0.8, fixed_s=1.2, slow_s=1.5, churn_s=2.0, events_s=3.0, repeats=1
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every scene gets. `folder`: for the files of the run."""

    folder: Path
    effort: Effort
    cores: Cores
    results: Results
