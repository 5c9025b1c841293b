"""One job per run: leases that hold, leases of the dead, leases that were taken away; on disks and in object stores."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from snowetl.errors import OutputExists, SnowetlError
from snowetl.runs import holder as holder_module
from snowetl.runs import lease as lease_module
from snowetl.runs.holder import EXPIRES_SECONDS, Holder
from snowetl.runs.lease import Lease, living
from snowetl.storage import filesystem
from snowetl.storage.s3 import S3FileSystem
from tests.integration.support import ROOT, environment
from tests.storage.conftest import BUCKET, aws, endpoint, s3  # noqa: F401 (fixtures)

NAME = "_lock-2026-01-02-03-04-05.json"
LONG_AGO = int((time.time() - EXPIRES_SECONDS - 5) * 1000)
AHEAD = int((time.time() + 10 * EXPIRES_SECONDS) * 1000)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "HEARTBEAT_SECONDS", 0.05)


@pytest.fixture(params=["local", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "good" / NAME)
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/good/{NAME}"


@pytest.fixture
def on_s3(s3: S3FileSystem) -> str:  # noqa: F811
    return f"s3://{BUCKET}/good/{NAME}"


def process(**changes: Any) -> Holder:
    """This process, as a holder of its own."""
    return replace(Holder.this_process(), **changes)


def dead_pid() -> int:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def write(url: str, content: bytes) -> None:
    filesystem(url).put(url, content)


def read(url: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(filesystem(url).get(url))
    return document


def test_a_lease_comes_and_goes(url: str) -> None:
    with Lease(url) as lease:
        found = read(url)
        assert (found["pid"], found["host"]) == (os.getpid(), socket.gethostname())
        assert lease.is_ours()
        lease.check()
    assert not filesystem(url).exists(url)


def test_a_lease_goes_when_the_job_fails(url: str) -> None:
    with pytest.raises(ZeroDivisionError), Lease(url):
        _ = 1 / 0
    assert not filesystem(url).exists(url)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_", ["create_exclusive", "get", "delete_tree"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_lease_comes_or_goes(
    on_s3: str, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, request_: str, when: str
) -> None:
    """Whatever request it meets, the lease is given back, and the interrupt takes effect then."""
    original = getattr(S3FileSystem, request_)
    signals = [number]

    def interrupt() -> None:
        if signals:
            signal.raise_signal(signals.pop())

    def interrupted(self: S3FileSystem, *arguments: Any) -> Any:
        if when == "before":
            interrupt()
        answer = original(self, *arguments)
        interrupt()
        return answer

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    monkeypatch.setattr(S3FileSystem, request_, interrupted)
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(KeyboardInterrupt), Lease(on_s3):
            assert request_ != "create_exclusive", "the lease is held"
    finally:
        after = signal.signal(signal.SIGTERM, before)
    assert after == (signal.SIG_IGN if number == signal.SIGTERM else stop)
    monkeypatch.undo()
    assert not filesystem(on_s3).exists(on_s3)


def test_a_second_interrupt_is_not_kept_waiting(on_s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(self: S3FileSystem, url: str, data: bytes) -> bool:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it hangs")

    monkeypatch.setattr(S3FileSystem, "create_exclusive", hang)
    with pytest.raises(KeyboardInterrupt), Lease(on_s3):
        pass


def test_a_lease_may_be_taken_by_any_thread(url: str) -> None:
    with ThreadPoolExecutor(1) as other:
        lease = other.submit(Lease(url).__enter__).result()
        assert lease.is_ours()
        other.submit(lease.__exit__, None, None, None).result()
    assert not filesystem(url).exists(url)


def test_the_second_job_is_told_who_holds_the_lease(url: str) -> None:
    with Lease(url) as lease:
        with pytest.raises(OutputExists) as error, Lease(url, what="this folder"):
            pass
        lease.check()
    message = str(error.value)
    assert f"another job works on this folder: process {os.getpid()}" in message
    assert socket.gethostname() in message
    assert f"delete {url}" in message


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({}, "alive"),
        ({"host": "elsewhere", "pid": 1}, "alive"),
        ({"renewed": LONG_AGO}, "silent"),
        ({"host": "elsewhere", "renewed": LONG_AGO}, "silent"),
        ({"host": "elsewhere", "renewed": AHEAD}, "silent"),
        ({"boot": "another", "renewed": LONG_AGO}, "silent"),
        ({"pid": dead_pid()}, "dead"),
        ({"pid": dead_pid(), "renewed": AHEAD}, "dead"),
        ({"pid": dead_pid(), "host": "elsewhere"}, "alive"),
        ({"started": "1"}, "dead"),
        ({"pid": 1, "started": "1"}, "dead"),
        ({"boot": "another"}, "unseen"),
        ({"namespace": "pid:[1]"}, "unseen"),
    ],
)
def test_fates(changes: dict[str, Any], fate: str) -> None:
    assert process(**changes).fate() == fate


@pytest.mark.parametrize(
    ("container", "changes", "fate"),
    [
        ("container_e17_1795852703217_0001_02_000001", {"attempt": 1}, "unseen"),
        ("container_1795852703217_0001_02_000001", {"attempt": 1, "renewed": LONG_AGO}, "unseen"),
        ("container_1795852703217_0001_02_000001", {"attempt": 2}, "alive"),
        ("container_1795852703217_0001_02_000001", {"attempt": 3}, "alive"),
        ("container_1795852703217_0002_02_000001", {"attempt": 1}, "alive"),
        ("no container", {"attempt": 1}, "alive"),
        ("", {"attempt": 0, "application": ""}, "alive"),
    ],
    ids=["earlier", "earlier and silent", "the same", "later", "another application", "elsewhere", "no application"],
)
def test_an_earlier_attempt_of_the_same_yarn_application(
    container: str, changes: dict[str, Any], fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heartbeat is waited for, some seconds; that of a driver of another application would be believed."""
    monkeypatch.setenv("CONTAINER_ID", container)
    other = {"host": "elsewhere", "application": "1795852703217_0001"} | changes
    assert process(**other).fate() == fate


@pytest.mark.parametrize("beats", [False, True])
def test_the_next_attempt_of_a_yarn_application_takes_over(
    beats: bool, on_s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another host it cannot look whether the driver it follows is dead; that one was alive a moment ago."""
    monkeypatch.setenv("CONTAINER_ID", "container_1795852703217_0001_01_000001")
    with Lease(on_s3) as first:
        first._me = replace(first._me, host="node-1")
        time.sleep(0.2)
        if not beats:
            first._stop.set()
            first._heart.join()
        monkeypatch.setenv("CONTAINER_ID", "container_1795852703217_0001_02_000001")
        if beats:
            with pytest.raises(OutputExists, match="on node-1"), Lease(on_s3):
                pass
        else:
            with Lease(on_s3) as second:
                second.check()
                with pytest.raises(SnowetlError, match="another job has taken over"):
                    first.check()


def test_holders_are_read_back() -> None:
    me = process()
    assert Holder.parse(me.content()) == me
    for content in (b"", b"damaged", b"[]", b"{}", b'{"token": 3}', b"\xff"):
        assert Holder.parse(content) is None
    odd = Holder.parse(json.dumps(asdict(me) | {"pid": "x", "renewed": None, "more": 1}).encode())
    assert odd is not None
    assert (odd.pid, odd.renewed) == (0, 0)


@pytest.mark.parametrize("content", [process(pid=dead_pid()).content(), b"damaged", b"{}", b""])
def test_the_lease_of_the_dead_is_taken_over(url: str, content: bytes) -> None:
    write(url, content)
    with Lease(url) as lease:
        lease.check()
        assert read(url)["pid"] == os.getpid()
    assert not filesystem(url).exists(url)


def test_H5_a_restarted_container_takes_its_own_lease_at_once(on_s3: str, tmp_path: Path) -> None:
    """Same host name, same process number, which is alive: but it started at another time."""
    died = process(started="17")
    for url in (on_s3, str(tmp_path / NAME)):
        write(url, died.content())
        began = time.monotonic()
        with Lease(url) as lease:
            lease.check()
        assert time.monotonic() - began < EXPIRES_SECONDS / 10


@pytest.mark.parametrize("changes", [{"boot": "before"}, {"namespace": "pid:[4026531999]"}])
def test_H5_after_a_reboot_or_in_a_new_namespace(changes: dict[str, str], url: str) -> None:
    write(url, process(**changes).content())
    with Lease(url) as lease:
        lease.check()


def test_a_holder_that_cannot_be_seen_but_beats_is_left_alone(on_s3: str) -> None:
    with Lease(on_s3) as lease:
        other = lease._me
        lease._me = replace(other, namespace="pid:[4026531999]")
        time.sleep(0.2)
        with pytest.raises(OutputExists, match="another job works on this run"), Lease(on_s3):
            pass
        lease.check()


@pytest.mark.parametrize("renewed", [0, LONG_AGO, AHEAD], ids=["unknown", "behind", "ahead"])
def test_H5_clocks_that_differ_take_no_lease_from_the_living(on_s3: str, renewed: int) -> None:
    """By our clock the other machine was last heard of long ago, or will be in an hour: yet it beats."""
    other = process(host="elsewhere", boot="another")
    stop = Event()

    def beat() -> None:
        while not stop.wait(0.02):
            write(on_s3, replace(other, renewed=renewed + int(time.monotonic() * 1000)).content())

    write(on_s3, replace(other, renewed=renewed).content())
    beats = Thread(target=beat)
    beats.start()
    try:
        with pytest.raises(OutputExists, match="elsewhere"), Lease(on_s3):
            pass
    finally:
        stop.set()
        beats.join()


@pytest.mark.parametrize("renewed", [LONG_AGO, AHEAD], ids=["behind", "ahead"])
def test_H5_a_dead_machine_whose_clock_was_wrong_holds_nothing(url: str, renewed: int) -> None:
    write(url, process(host="elsewhere", boot="another", renewed=renewed).content())
    with Lease(url) as lease:
        lease.check()


def test_H5_a_process_that_was_silent_for_long_but_lives_keeps_its_lease(on_s3: str) -> None:
    """Its storage failed for a while; now it beats again."""
    with Lease(on_s3) as lease:
        lease._me = replace(lease._me, renewed=LONG_AGO)
        write(on_s3, lease._me.content())
        lease._place._content = lease._me.content()  # type: ignore[attr-defined]
        with pytest.raises(OutputExists, match="another job works"), Lease(on_s3):
            pass
        lease.check()


def test_a_holder_on_another_machine_is_left_alone(url: str) -> None:
    write(url, process(host="elsewhere", boot="another").content())
    with pytest.raises(OutputExists, match="elsewhere"), Lease(url):
        pass
    assert read(url)["host"] == "elsewhere"


@pytest.mark.slow
def test_who_lives_is_seen_by_the_heartbeat(url: str) -> None:
    assert living(url) is None
    with Lease(url) as lease:
        assert living(url) == Holder.parse(filesystem(url).get(url))
        lease._me = replace(lease._me, namespace="pid:[4026531999]")
        time.sleep(0.2)
        found = living(url)
        assert found is not None and found.token == lease._me.token
    for died in (process(pid=dead_pid()), process(boot="before"), process(host="elsewhere", renewed=LONG_AGO)):
        write(url, died.content())
        assert living(url) is None
    write(url, process(host="elsewhere").content())
    assert living(url) is not None and process(host="elsewhere").seems_alive()


def test_where_files_know_no_locks_the_signs_of_life_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    url = str(tmp_path / NAME)
    with Lease(url), pytest.raises(OutputExists, match="another job works"), Lease(url):
        pass
    write(url, process(pid=dead_pid()).content())
    with Lease(url) as lease:
        lease.check()


def test_of_two_that_take_over_one_leaves(on_s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(on_s3, process(pid=dead_pid()).content())
    faster = process(host="faster")
    original = S3FileSystem.replace

    def late(self: S3FileSystem, url: str, data: bytes, expected: bytes) -> bool:
        write(url, faster.content())
        return original(self, url, data, expected)

    monkeypatch.setattr(S3FileSystem, "replace", late)
    with pytest.raises(OutputExists, match="on faster"), Lease(on_s3):
        pass
    assert read(on_s3)["token"] == faster.token


def test_a_lease_that_was_taken_away_is_noticed_and_left_alone(url: str) -> None:
    with Lease(url) as lease:
        write(url, process(token="the other").content())
        with pytest.raises(SnowetlError, match="publishes nothing"):
            lease.check()
    assert read(url)["token"] == "the other"


def test_a_lease_that_was_deleted_is_noticed(url: str) -> None:
    with Lease(url) as lease:
        filesystem(url).delete_tree(url)
        with pytest.raises(SnowetlError, match="publishes nothing"):
            lease.check()


def test_a_held_lease_is_renewed(url: str) -> None:
    with Lease(url):
        first = read(url)["renewed"]
        time.sleep(0.3)
        assert read(url)["renewed"] > first


def test_a_system_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder_module, "_read", lambda path: "")
    monkeypatch.setattr(holder_module, "namespace_of_this_process", lambda: "")
    assert process().fate() == "alive"
    assert process(pid=dead_pid()).fate() == "dead"


HOLD = """
import sys, time
from snowetl.runs.lease import Lease
with Lease(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease."""
    job = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
    )
    assert job.stdout is not None
    assert job.stdout.readline() == "held\n"
    yield job
    job.kill()
    job.wait()


def test_a_process_that_is_killed_leaves_a_lease_that_is_free(held: subprocess.Popen[str], url: str) -> None:
    with pytest.raises(OutputExists, match=f"process {held.pid} "), Lease(url):
        pass
    held.send_signal(signal.SIGKILL)
    held.wait()
    assert filesystem(url).exists(url)
    with Lease(url) as lease:
        lease.check()


CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""What is started so is process 1 of its own numbering; the host name is ours, as with a pod that is started again."""
HOLD_IN_CONTAINER = """
import os, sys, time
from snowetl.runs import lease
lease.HEARTBEAT_SECONDS = 0.05
with lease.Lease(sys.argv[1]):
    print("held by", os.getpid(), flush=True)
    time.sleep(60)
"""


def can_make_containers() -> bool:
    try:
        return subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def container(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CONTAINER, sys.executable, "-c", HOLD_IN_CONTAINER, url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not can_make_containers(), reason="needs the right to make process namespaces")
def test_H5_a_container_that_is_started_again_goes_on(url: str) -> None:
    """Process 1 of a container is killed, and process 1 of the next one has the same host name."""
    died = container(url)
    assert died.stdout is not None and died.stdout.readline() == "held by 1\n"
    second = container(url)
    _, refused = second.communicate(timeout=300)
    assert "another job works on this run: process 1 " in refused, "the first one lives, though nobody sees it"
    died.kill()
    died.wait()
    again = container(url)
    try:
        assert again.stdout is not None and again.stdout.readline() == "held by 1\n"
        with pytest.raises(OutputExists), Lease(url):
            pass
    finally:
        again.kill()
        again.wait()
