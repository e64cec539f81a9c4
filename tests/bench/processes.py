"""The programs that are measured, each in a process of its own on a free port of 127.0.0.1."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from salesforce_emulator import ACCESS_TOKEN

START_SECONDS = 20
STOP_SECONDS = 10
SAMPLE_SECONDS = 0.01

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NGINX_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{}}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream_port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffering off;
    }}
  }}
}}
"""


@contextmanager
def emulator(folder: Path, *options: str) -> Iterator[tuple[int, int]]:
    """The embedded org; yields its port and the process id."""
    port = _free_port()
    command = [*OURS, "emulator", "--port", str(port), "--data-dir", str(folder / "org"), *options]
    with _process(command, port, environment(folder)) as pid:
        yield port, pid


@contextmanager
def gateway(folder: Path, org_port: int) -> Iterator[tuple[int, int]]:
    """`serve` in front of the org on this port; yields the port of `/v1` and the process id."""
    port = _free_port()
    command = [*OURS, "serve", "--mcp-port", "0", "--rest-port", str(port)]
    with _process(command, port, _connected(folder, org_port)) as pid:
        yield port, pid


@contextmanager
def tools(folder: Path, org_port: int) -> Iterator[tuple[int, int]]:
    """`serve` in front of the org on this port, reading files of the folder; yields the port of MCP and the process id."""
    port = _free_port()
    command = [*OURS, "serve", "--mcp-port", str(port), "--rest-port", "0", "--upload-root", str(folder)]
    with _process(command, port, _connected(folder, org_port)) as pid:
        yield port, pid


@contextmanager
def still_org(folder: Path) -> Iterator[int]:
    """The org that always gives the same answer; yields its port."""
    port = _free_port()
    with _process([sys.executable, "-m", "tests.bench.still_org", str(port)], port, environment(folder)):
        yield port


@contextmanager
def bare_tool(folder: Path, org_port: int) -> Iterator[int]:
    """A bare tool in front of the org on this port; yields the port of MCP."""
    port = _free_port()
    command = [sys.executable, "-m", "tests.bench.bare_tool", str(port), str(org_port)]
    with _process(command, port, environment(folder)):
        yield port


@contextmanager
def nginx(folder: Path, org_port: int) -> Iterator[int | None]:
    """nginx as a streaming proxy in front of the org on this port; yields the port of nginx, or None if it is not installed."""
    if NGINX is None:
        yield None
        return
    port = _free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, port=port, upstream_port=org_port))
    with _process([NGINX, "-c", str(config), "-e", str(folder / "nginx.log")], port, environment(folder)):
        yield port


class PeakMemory:
    """The resident memory of a process: at present, and at its peak while a block ran.

    The peak is the kernel's high-water mark where it can be reset, otherwise the largest of many samples.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._reset = Path(f"/proc/{pid}/clear_refs")
        self._peak = 0
        self._over = threading.Event()

    def now(self) -> int:
        """The resident memory at present, in bytes."""
        return self._read("VmRSS")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure the peak while the block runs."""
        self._peak = 0
        self._over.clear()
        exact = self._reset_mark()
        sampler = threading.Thread(target=self._sample)
        sampler.start()
        try:
            yield
        finally:
            self._over.set()
            sampler.join()
            if exact:
                self._peak = max(self._peak, self._read("VmHWM"))

    @property
    def peak(self) -> int:
        """The peak of the last watched block, in bytes."""
        return self._peak

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, self.now())

    def _reset_mark(self) -> bool:
        try:
            self._reset.write_text("5")
        except OSError:
            return False
        return True

    def _read(self, name: str) -> int:
        line = next(line for line in self._status.read_text().splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024


OURS = [sys.executable, "-m", "salesforce_bulk_ingest"]


def environment(folder: Path) -> dict[str, str]:
    """Environment variables without the user's settings, proxies and credentials."""
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "HOME": str(folder)}


def _connected(folder: Path, org_port: int) -> dict[str, str]:
    return {
        **environment(folder),
        "SALESFORCE_INSTANCE_URL": f"http://127.0.0.1:{org_port}",
        "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN,
    }


@contextmanager
def _process(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
