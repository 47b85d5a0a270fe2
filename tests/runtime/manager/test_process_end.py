"""The end of the process: SIGTERM beside what it did before, the end of Python, children that are forked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from pytest_dbguard.runtime.errors import RuntimeFault
from tests.runtime.manager.conftest import address
from tests.runtime.waiting import WATCHDOG_S, eventually

PREFACE = """
    import asyncio, os, signal, sys, threading, time
    from sqlalchemy import text
    from pytest_dbguard.runtime.manager import DatabaseManager
    from pytest_dbguard.runtime.settings import DatabaseSettings

    shutdown_s = float(sys.argv[2])
    settings = DatabaseSettings(
        url=sys.argv[1], timeouts={"shutdown_s": shutdown_s}, logging={"statements": False}
    )
    manager = DatabaseManager(settings)

    def say(word):
        os.write(1, word.encode() + b"\\n")
"""
ADD = '"UPDATE accounts SET amount = amount + 1 WHERE id = 1"'


class Script:
    """A Python program that runs, and says what it does line by line."""

    def __init__(self, body, url, shutdown_s=WATCHDOG_S):
        source = textwrap.dedent(PREFACE) + textwrap.dedent(body)
        self.process = subprocess.Popen(
            [sys.executable, "-c", source, url, str(shutdown_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._watchdog = threading.Timer(WATCHDOG_S, self.process.kill)
        self._watchdog.start()

    def hears(self):
        return self.process.stdout.readline().strip()

    def tell(self, word="go on"):
        self.process.stdin.write(word + "\n")

    def ends(self):
        """Return its exit status, what else it said, and its errors."""
        said, errors = self.process.communicate()
        self._watchdog.cancel()
        return self.process.returncode, said.split(), errors


@pytest.fixture
def script(postgres):
    made = []

    def start(body, **options):
        made.append(Script(body, address(postgres.url), **options))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.communicate()
        each._watchdog.cancel()


class TestSigterm:
    """Stops the manager, then does what it did before."""

    def test_lets_the_main_threads_transaction_end_and_then_ends_the_process(self, script, accounts, postgres):
        program = script(
            f"""
            manager.stop_on_sigterm()
            with manager.session() as session:
                session.execute(text({ADD}))
                say("begun")
                sys.stdin.readline()
                session.execute(text({ADD}))
                session.commit()
                say("committed")
            threading.Event().wait()
            """
        )
        assert program.hears() == "begun"
        program.process.send_signal(signal.SIGTERM)
        program.tell()
        status, said, errors = program.ends()
        assert (status, said, errors) == (-signal.SIGTERM, ["committed"], "")
        assert accounts() == [12, 10]
        eventually(lambda: postgres.sessions() == 0, "the end of the sessions")

    def test_cancels_what_does_not_end_in_time(self, script, postgres):
        program = script(
            """
            manager.stop_on_sigterm()
            def work():
                with manager.session() as session:
                    session.execute(text("SELECT pg_sleep(600)"))
            worker = threading.Thread(target=work, daemon=True)
            worker.start()
            say("begun")
            threading.Event().wait()
            """,
            shutdown_s=0,
        )
        assert program.hears() == "begun"
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        eventually(lambda: postgres.scalar(asleep), "the start of the statement")
        program.process.send_signal(signal.SIGTERM)
        status, _, errors = program.ends()
        assert status == -signal.SIGTERM
        assert "the shutdown cancels" in errors
        assert postgres.scalar(asleep) == 0

    def test_calls_the_former_handler_at_once(self, script):
        program = script(
            """
            def former(number, frame):
                say(f"former-{manager.state in ('started', 'stopping')}")
                raise SystemExit(7)
            signal.signal(signal.SIGTERM, former)
            manager.stop_on_sigterm()
            with manager.session() as session:
                session.execute(text("SELECT 1"))
                say("begun")
                threading.Event().wait()
            """
        )
        assert program.hears() == "begun"
        program.process.send_signal(signal.SIGTERM)
        status, said, errors = program.ends()
        assert (status, said, errors) == (7, ["former-True"], "")

    def test_ignores_what_was_ignored_but_stops(self, script):
        program = script(
            """
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            manager.stop_on_sigterm()
            manager.start()
            say("begun")
            while manager.state != "stopped":
                time.sleep(0.005)
            say("stopped")
            """
        )
        assert program.hears() == "begun"
        program.process.send_signal(signal.SIGTERM)
        assert program.ends() == (0, ["stopped"], "")

    def test_tasks_under_way_may_end(self, script, accounts):
        program = script(
            f"""
            manager.stop_on_sigterm()
            async def main():
                async with manager.async_session() as session:
                    await session.execute(text({ADD}))
                    say("begun")
                    await asyncio.to_thread(sys.stdin.readline)
                    await session.execute(text({ADD}))
                    await session.commit()
                    say("committed")
                await asyncio.Event().wait()
            asyncio.run(main())
            """
        )
        assert program.hears() == "begun"
        program.process.send_signal(signal.SIGTERM)
        program.tell()
        status, said, _ = program.ends()
        assert (status, said) == (-signal.SIGTERM, ["committed"])
        assert accounts() == [12, 10]

    def test_can_be_undone(self, manager):
        before = signal.getsignal(signal.SIGTERM)
        undo = manager(profile="test").stop_on_sigterm()
        assert signal.getsignal(signal.SIGTERM) != before
        undo()
        assert signal.getsignal(signal.SIGTERM) == before

    def test_is_not_undone_where_somebody_else_handles_it_now(self, manager):
        before = signal.getsignal(signal.SIGTERM)
        try:
            undo = manager(profile="test").stop_on_sigterm()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            undo()
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_is_for_the_main_thread(self, manager):
        used, raised = manager(profile="test"), []

        def install():
            with pytest.raises(RuntimeFault, match="main thread") as caught:
                used.stop_on_sigterm()
            raised.append(caught.value)

        thread = threading.Thread(target=install)
        thread.start()
        thread.join()
        assert len(raised) == 1


class TestEndOfPython:
    """Closes what is open, and waits for nobody."""

    def test_closes_connections(self, script, postgres):
        program = script(
            """
            manager.engine().connect().close()
            async def main():
                async with manager.async_engine().connect():
                    pass
            asyncio.run(main())
            say(str(manager.engine().pool.checkedin()))
            """
        )
        assert program.ends() == (0, ["1"], "")
        eventually(lambda: postgres.sessions() == 0, "the end of the sessions")

    def test_is_not_held_up_by_threads_of_asynchronous_sqlite(self, tmp_path):
        program = Script(
            """
            async def main():
                await manager.async_engine().connect()  # never closed
                async with manager.async_engine().connect() as connection:
                    await connection.execute(text("CREATE TABLE made (id int)"))
                    await connection.commit()
            asyncio.run(main())
            """,
            f"sqlite:///{tmp_path / 'shop.db'}",
        )
        status, _, errors = program.ends()
        assert status == 0
        assert "Traceback" not in errors

    def test_is_not_held_up_by_a_session_that_nobody_closed(self, script):
        program = script(
            """
            session = manager.session()
            session.execute(text("SELECT 1"))
            """
        )
        status, _, errors = program.ends()
        assert status == 0
        assert "the shutdown cancels" in errors

    def test_ends_what_daemon_threads_do(self, script, postgres):
        program = script(
            """
            def work():
                with manager.session() as session:
                    session.execute(text("SELECT pg_sleep(600)"))
            threading.Thread(target=work, daemon=True).start()
            sys.stdin.readline()
            """
        )
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        eventually(lambda: postgres.scalar(asleep), "the start of the statement")
        program.tell()
        assert program.ends()[0] == 0
        assert postgres.scalar(asleep) == 0


class TestFork:
    """A child has connections of its own, whatever its parent was doing."""

    def test_a_child_that_ends_leaves_its_parents_connections_alone(self, script):
        program = script(
            """
            def ask():
                with manager.session() as session:
                    return session.scalar(text("SELECT pg_backend_pid()"))
            held = manager.engine().connect()
            held.execute(text("SELECT 1"))
            parents = ask()
            for _ in range(2):
                child = os.fork()
                if not child:
                    say(str(ask() != parents))
                    sys.exit(3)  # runs the hooks for the end of Python
                say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
            say(str(ask() == parents))
            say(str(held.execute(text("SELECT 1")).scalar()))
            held.close()
            """
        )
        status, said, errors = program.ends()
        assert (status, sorted(said), errors) == (0, sorted(["True", "3"] * 2 + ["True", "1"]), "")

    def test_a_child_of_a_manager_that_stops_can_begin_anew(self, manager, postgres):
        used = manager(url=address(postgres.url))
        with used.engine().connect():
            stopping = threading.Thread(target=used.stop, args=(WATCHDOG_S,))
            stopping.start()
            eventually(lambda: used.state == "stopping", "the beginning of the end")
            receiving, sending = os.pipe()
            child = os.fork()
            if not child:
                try:
                    with used.start().engine().connect():
                        os.write(sending, used.state.encode())
                finally:
                    os._exit(0)
            os.close(sending)
            with os.fdopen(receiving) as answer:
                assert answer.read() == "started"
            os.waitpid(child, 0)
        stopping.join()
        assert used.state == "stopped"

    def test_a_child_ends_by_sigterm_as_its_parent_does(self, script):
        program = script(
            """
            manager.stop_on_sigterm()
            manager.engine().connect().close()
            child = os.fork()
            if not child:
                manager.engine().connect().close()
                say("begun")
                threading.Event().wait()
            sys.stdin.readline()
            os.kill(child, signal.SIGTERM)
            say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
            with manager.session() as session:
                say(str(session.scalar(text("SELECT 1"))))
            """
        )
        assert program.hears() == "begun"
        program.tell()
        assert program.ends() == (0, [str(-signal.SIGTERM), "1"], "")

    def test_a_child_of_a_parent_that_ends_by_sigterm_has_one_of_its_own(self, script):
        program = script(
            """
            manager.stop_on_sigterm()
            held = manager.engine().connect()
            os.kill(os.getpid(), signal.SIGTERM)
            while manager.state != "stopping":
                time.sleep(0.005)
            child = os.fork()
            if not child:
                manager.start().engine().connect().close()
                say("begun")
                time.sleep(20)
                os._exit(7)
            sys.stdin.readline()
            os.kill(child, signal.SIGTERM)
            say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
            held.close()
            threading.Event().wait()
            """
        )
        assert program.hears() == "begun"
        program.tell()
        assert program.ends()[:2] == (-signal.SIGTERM, [str(-signal.SIGTERM)])
