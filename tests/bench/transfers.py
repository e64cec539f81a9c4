"""Measure time and memory of 100 MB through the gateway, beside nginx and beside no proxy, in one run."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.caller import Caller
from tests.bench.processes import PeakMemory, emulator, gateway, nginx

MB, MIB = 1_000_000, 1 << 20
ROUNDS = 3
SLOW_BYTES_PER_SECOND = MB
MOST_MEMORY_RISE = 32 * MIB

UPSTREAM_PATH = "/services/data/v63.0/jobs/ingest"
NO_PROXY, THROUGH_NGINX, THROUGH_US = "no proxy", "nginx", "/v1"


@dataclass(frozen=True)
class Measured:
    """The seconds of a transfer by each way, and the gateway's memory beyond idle during the transfer."""

    what: str
    seconds: Mapping[str, float]
    memory_rise: int


class Bench:
    """The transfers of one run."""

    def __init__(self, ways: Mapping[str, Caller], memory: PeakMemory, file: Path) -> None:
        self._ways = ways
        self._org = ways[NO_PROXY]
        self._memory = memory
        self._file = file
        self._size = file.stat().st_size
        ways[THROUGH_US].json("GET")
        self.idle = memory.now()

    def uploads(self) -> Measured:
        """Upload the file, each time to a new job, and measure it."""

        def upload(caller: Caller) -> float:
            job_id = self._new_job()
            seconds = caller.upload(job_id, self._file)
            self._finish(job_id)
            self._org.json("DELETE", f"/{job_id}")
            return seconds

        return self._rounds("upload", upload)

    def downloads(self) -> Measured:
        """Download a result of the file's size, and measure it."""
        job_id = self._job_with_result()
        return self._rounds("download", lambda caller: caller.download(job_id, self._size))

    def slow_download(self) -> Measured:
        """Download the same result slowly, and check that it is the file, byte for byte."""
        job_id = self._job_with_result()
        with self._memory.watched():
            seconds, digest = self._ways[THROUGH_US].download_slowly(job_id, SLOW_BYTES_PER_SECOND)
        with self._file.open("rb") as rows:
            if digest != hashlib.file_digest(rows, "sha256").hexdigest():
                raise RuntimeError("what came down is not what went up")
        return Measured("download at 1 MB/s", {THROUGH_US: seconds}, self._memory.peak - self.idle)

    def _rounds(self, what: str, transfer: Callable[[Caller], float]) -> Measured:
        seconds: dict[str, list[float]] = {way: [] for way in self._ways}
        rises = []
        for _ in range(ROUNDS):
            for way, caller in self._ways.items():
                with self._memory.watched():
                    seconds[way].append(transfer(caller))
                if way == THROUGH_US:
                    rises.append(self._memory.peak - self.idle)
        return Measured(what, {way: median(all_seconds) for way, all_seconds in seconds.items()}, max(rises))

    def _new_job(self) -> str:
        job_id: str = self._org.json("POST", body={"object": "Account", "operation": "insert"})["id"]
        return job_id

    def _job_with_result(self) -> str:
        """The id of an aborted job, whose unprocessed records are its whole upload."""
        job_id = self._new_job()
        self._org.upload(job_id, self._file)
        self._finish(job_id)
        return job_id

    def _finish(self, job_id: str) -> None:
        self._org.json("PATCH", f"/{job_id}", {"state": "Aborted"})


def write_csv(file: Path, size: int) -> None:
    """Write a CSV file of accounts of just under `size` bytes."""
    row = 0
    with file.open("wb") as out:
        out.write(b"Name,Phone,Website,BillingCity\n")
        while out.tell() < size - MB // 10:
            lines = [
                f"Account {n:08},+1 555 {n:07},https://a{n}.example,Springfield\n" for n in range(row, row + 1_000)
            ]
            row += len(lines)
            out.write("".join(lines).encode())


def show(measured: list[Measured], size: int, idle: int, *, with_nginx: bool) -> None:
    """Print the table of the measurements."""
    ways = [NO_PROXY, *([THROUGH_NGINX] if with_nginx else []), THROUGH_US]
    head = [*ways, *(f"{THROUGH_US} : {way}" for way in ways[:-1]), "memory rise"]
    print("".join(f"{cell:>18}" for cell in ["", *head]))
    for line in measured:
        ours = line.seconds[THROUGH_US]
        cells = [line.what]
        cells += [_speed(line.seconds[way], size) if way in line.seconds else "" for way in ways]
        cells += [f"{ours / line.seconds[way]:.1f} x" if way in line.seconds else "" for way in ways[:-1]]
        cells += [f"{line.memory_rise / MIB:.1f} MiB"]
        print("".join(f"{cell:>18}" for cell in cells))
    print(f"\nThe gateway has {idle / MIB:.1f} MiB when idle; a rise is the highest over that in {ROUNDS} rounds.")


def passed(measured: list[Measured]) -> bool:
    """Print whether each transfer meets the requirement; return whether all do."""
    for line in measured:
        verdict = "pass" if line.memory_rise < MOST_MEMORY_RISE else "FAIL"
        print(f"{verdict}  {line.what}: memory rises by less than {MOST_MEMORY_RISE // MIB} MiB")
    return all(line.memory_rise < MOST_MEMORY_RISE for line in measured)


def run(*, quick: bool) -> bool:
    """Run all measurements; return whether the requirement on memory is met."""
    size = (20 if quick else 100) * MB
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        write_csv(file := folder / "accounts.csv", size)
        size = file.stat().st_size
        org_port, _ = stack.enter_context(emulator(folder))
        nginx_port = stack.enter_context(nginx(folder, org_port))
        port, pid = stack.enter_context(gateway(folder, org_port))
        ways = {NO_PROXY: Caller(org_port, UPSTREAM_PATH)}
        if nginx_port is not None:
            ways[THROUGH_NGINX] = Caller(nginx_port, UPSTREAM_PATH)
        ways[THROUGH_US] = Caller(port, "/v1/jobs/ingest")

        print(f"The gateway: {size / MB:.0f} MB over loopback, medians of {ROUNDS} rounds.")
        print(
            "Caller, gateway, nginx and embedded org share this machine; the org writes each upload to disk. The result"
        )
        print("that is downloaded is the unprocessed records of an aborted job: its upload, sent back from disk.")
        if nginx_port is None:
            print("nginx is not installed, so there is nothing to compare with but no proxy.")
        print(f"The download at 1 MB/s takes {size / SLOW_BYTES_PER_SECOND:.0f} s.\n", flush=True)
        bench = Bench(ways, PeakMemory(pid), file)
        measured = [bench.uploads(), bench.downloads(), bench.slow_download()]
        show(measured, size, bench.idle, with_nginx=nginx_port is not None)
    return passed(measured)


def _speed(seconds: float, size: int) -> str:
    return f"{seconds:.2f} s {size / seconds / MB:.0f} MB/s"
