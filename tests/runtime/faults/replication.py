"""A streaming replica whose replay is paused and resumed, that is stopped, started and promoted."""

from __future__ import annotations

from pytest_dbguard.databases.postgres_server import SUPERUSER
from tests.runtime.faults.server import RestartableServer
from tests.runtime.waiting import WATCHDOG_S, eventually


class StreamingReplica(RestartableServer):
    """A replica of `primary`, by a copy of its data and by its log as it is written."""

    def __init__(self, primary: RestartableServer) -> None:
        # of the time when sessions are cancelled because of conflicting replay nothing is to be seen
        super().__init__(primary.programs, {"hot_standby": "on", "max_standby_streaming_delay": "-1"})
        self.primary = primary
        self._is_paused = self._is_promoted = False

    def initialise(self) -> None:
        """Copy the primary's data, and follow its log from there."""
        program = self.programs.directory / "pg_basebackup"
        host, port = str(self.primary.directory.path), str(self.primary.port)
        options = ["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync"]
        command = [program, "-D", self.directory.data, "-h", host, "-p", port, "-U", SUPERUSER, *options]
        assert self.spawn(command).wait(WATCHDOG_S) == 0, self.directory.tail()

    def pause(self) -> None:
        """Replay nothing any more, though the log still arrives."""
        self.execute("SELECT pg_wal_replay_pause()")
        self._is_paused = True
        eventually(lambda: self.scalar("SELECT pg_get_wal_replay_pause_state()") == "paused", "the pause of replay")

    def resume(self) -> None:
        """Replay again; what was missed follows at once."""
        self.execute("SELECT pg_wal_replay_resume()")
        self._is_paused = False

    def catch_up(self) -> None:
        """Wait until all that the primary has written so far is replayed."""
        position = self.primary.scalar("SELECT pg_current_wal_flush_lsn()")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        eventually(lambda: self.scalar(query), "the replay of the log")

    def promote(self) -> None:
        """Make a primary of it, one of its own from now on."""
        self._is_promoted = True
        assert self.scalar(f"SELECT pg_promote(true, {WATCHDOG_S:.0f})"), "it was not promoted in time"

    def mend(self) -> None:
        """Start, resume, or copy anew what a test has left stopped, paused or promoted, and catch up."""
        if self._is_promoted:
            self.crash()
            self.remove_data()
            self.initialise()
            self._is_paused = self._is_promoted = False
        super().mend()
        if self._is_paused:
            self.resume()
        self.catch_up()
