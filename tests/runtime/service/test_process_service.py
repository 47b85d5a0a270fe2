"""The service of a process: made once, whoever asks, and another one where a test wants it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime import (
    DatabaseService,
    DatabaseSettings,
    get_database_service,
    override_database_service,
    set_database_service,
)
from pytest_dbguard.runtime import service as service_module
from pytest_dbguard.runtime.process_service import ProcessService

LONG_S = 20


@pytest.fixture(autouse=True)
def of_nobody(monkeypatch, tmp_path):
    """No service is there before the test, and the one of the test is gone after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBGUARD_RUNTIME_URL", f"sqlite:///{tmp_path}/shop.db")
    before = set_database_service(None)
    yield
    made = set_database_service(before)
    if made is not None:
        made.stop()


def make_service(tmp_path):
    return DatabaseService(DatabaseSettings(url=f"sqlite:///{tmp_path}/other.db"))


def test_is_made_from_the_environment_and_the_file(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.dbguard.runtime]\napp = "shop"\n')
    service = get_database_service()
    assert service is get_database_service()
    assert (service.settings.app, service.state) == ("shop", "new")


def test_is_made_once_though_many_threads_ask(monkeypatch):
    """While the first makes it, all others wait for that one."""
    made, everybody = [], threading.Barrier(8)

    class Slow(DatabaseService):
        def __init__(self):
            super().__init__()
            made.append(self)
            is_made.set()
            assert may_end.wait(LONG_S)

    def ask():
        everybody.wait(LONG_S)
        return get_database_service()

    is_made, may_end = threading.Event(), threading.Event()
    monkeypatch.setattr(service_module, "DatabaseService", Slow)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(8)]
        assert is_made.wait(LONG_S)
        may_end.set()
        assert {id(answer.result(LONG_S)) for answer in answers} == {id(made[0])}
    assert len(made) == 1


def test_wrong_settings_are_told_to_each_who_asks(monkeypatch):
    monkeypatch.setenv("DBGUARD_RUNTIME_POOL__SIZE", "many")
    for _ in range(2):
        with pytest.raises(ConfigError, match="POOL__SIZE"):
            get_database_service()
    monkeypatch.delenv("DBGUARD_RUNTIME_POOL__SIZE")
    assert get_database_service().state == "new"


def test_another_one_takes_its_place(tmp_path):
    first, second = get_database_service(), make_service(tmp_path)
    first.start()
    assert set_database_service(second) is first
    assert get_database_service() is second
    assert (first.state, second.state) == ("started", "new")
    first.stop()


def test_another_one_takes_its_place_for_a_while(tmp_path):
    first, second = get_database_service(), make_service(tmp_path)
    with pytest.raises(ZeroDivisionError), override_database_service(second) as given:
        assert given is second
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(get_database_service).result(LONG_S) is second
        raise ZeroDivisionError
    assert get_database_service() is first


def test_none_is_made_where_another_one_stands_in(tmp_path):
    with override_database_service(make_service(tmp_path)):
        get_database_service()
    assert set_database_service(None) is None


def test_a_child_does_not_wait_for_a_thread_that_it_does_not_have(tmp_path):
    from tests.runtime.service.test_lifecycle import in_child

    process, is_held, may_end = ProcessService(), threading.Event(), threading.Event()

    def hold():
        with process._lock:
            is_held.set()
            assert may_end.wait(LONG_S)

    def child():
        process.renew()
        process.put(make_service(tmp_path))
        return 7

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(LONG_S)
    assert in_child(child) == 7
    may_end.set()
    thread.join(LONG_S)
