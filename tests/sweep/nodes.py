"""A Ray cluster of two nodes in this machine, each started as users start theirs."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Ray takes 127.0.0.1 for this machine's outer address.
HEAD, SECOND = "127.0.0.2", "127.0.0.3"
_ROOT = Path(__file__).parents[2]


@contextmanager
def own_ray() -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield a folder for Ray, and an environment in which it has a token of its own.

    Some of its ports face outwards.
    """
    # Not below pytest's folder: the paths of Unix sockets have at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(16))
    try:
        yield (
            folder,
            {
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN_PATH": str(token),
                "RAY_TMPDIR": str(folder),
                "RAY_USAGE_STATS_ENABLED": "0",
                "PYTHONPATH": str(_ROOT),
            },
        )
    finally:
        shutil.rmtree(folder)


@contextmanager
def two_nodes(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of a cluster of two nodes with a CPU each, which ends with the block.

    Parameters
    ----------
    folder, environment
        As `own_ray` gives them; the environment whole.
    """
    with socket.socket() as free:
        free.bind((HEAD, 0))
        port = free.getsockname()[1]
    head = ("--head", f"--port={port}", "--include-dashboard=false")
    nodes = [_start_node(folder, environment, HEAD, *head)]
    try:
        _wait_until_answers(HEAD, port, nodes[0])
        nodes.append(_start_node(folder, environment, SECOND, f"--address={HEAD}:{port}"))
        yield f"{HEAD}:{port}"
    finally:
        for process in reversed(nodes):
            _end_node(process)


def _start_node(
    folder: Path, environment: Mapping[str, str], address: str, *options: str
) -> subprocess.Popen[bytes]:
    command = [
        str(Path(sys.executable).with_name("ray")),
        *("start", "--block", "--num-cpus=1", "--object-store-memory=100000000"),
        *(f"--node-ip-address={address}", "--include-log-monitor=false", *options),
    ]
    with (folder / f"{address}.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )


def _end_node(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_answers(address: str, port: int, head: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if head.poll() is not None:
            raise RuntimeError("the head node ended")
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the head node does not answer")
