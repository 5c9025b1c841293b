"""``snowetl load --listen``: runs are loaded as a queue tells of them, until somebody says stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from snowetl.errors import ConfigError, SnowetlError, StorageError, UsageError
from snowetl.load.announced import Announcements, Message
from snowetl.load.preflight import check_target
from snowetl.load.report import LoadReport
from snowetl.steps.base import Watch
from snowetl.steps.load import check_settings, keep, load_announced
from snowetl.steps.settings import LoadSettings

_PAUSE_SECONDS = 10


def check(settings: LoadSettings) -> None:
    """Raises ``ConfigError`` for settings that contradict each other, and for a target that cannot be loaded into."""
    others = {
        "--input-folder": settings.input_folder is not None,
        "--retry-rejected": settings.retry_rejected,
        "--dry-run": settings.dry_run,
    }
    given = [flag for flag, is_given in others.items() if is_given]
    if given:
        raise ConfigError(f"--listen takes the runs that its queue tells of: leave {' and '.join(given)} out")
    check_settings(settings)
    check_target(settings.target)


def listen(settings: LoadSettings, watch: Watch, stop: threading.Event | None = None) -> int:
    """Load runs as the queue tells of them, until SIGTERM, Ctrl-C, or ``stop``; the number of messages handled.

    The run that is being loaded then is loaded to its end; a second signal rolls it back. Raises ``ConfigError``.
    """
    assert settings.listen is not None
    check(settings)
    queue = Announcements(settings.listen, settings.region)
    queue.check()
    watch.say(f"waiting for runs that {settings.listen} tells of, for {settings.target}")
    count = 0
    with _stopped_by_signals(stop or threading.Event()) as stop:
        while not stop.is_set():
            try:
                message = queue.next()
            except StorageError as error:
                watch.warn(f"{error}; asking again in {_PAUSE_SECONDS} s")
                stop.wait(_PAUSE_SECONDS)
                continue
            if message is not None:
                count += _loaded(message, queue, settings, watch)
    watch.say(f"stopped; messages handled: {count:,}")
    return count


def _loaded(message: Message, queue: Announcements, settings: LoadSettings, watch: Watch) -> bool:
    """Load what a message tells of. It is deleted when the run is in the manifest, else it comes again."""
    try:
        with queue.held(message, watch.warn):
            run = message.run()
            report: LoadReport = load_announced(settings, run, watch)
        report.target = str(settings.target)
        keep(report, watch.warn)
        watch.done(report)
    except (SnowetlError, UsageError) as error:
        passing = bool(getattr(error, "transient", False)) or isinstance(error, StorageError)
        watch.warn(f"message {message.id} of {settings.listen} is left in the queue: {error}")
        _quietly(lambda: queue.give_back(message, soon=passing), watch)
        return False
    _quietly(lambda: queue.done(message), watch)
    return True


def _quietly(act: Callable[[], None], watch: Watch) -> None:
    """What fails here does no harm: the message comes again, and the manifest knows its run."""
    try:
        act()
    except SnowetlError as error:
        watch.warn(f"{error}: the message comes again, and its run is not loaded twice")


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[threading.Event]:
    """The first SIGTERM or Ctrl-C sets ``stop``; the second one interrupts."""

    def note(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {each: signal.signal(each, note) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
