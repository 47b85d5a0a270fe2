"""Which process something was started by, and whether it lives."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_dbguard.databases import run_owner
from pytest_dbguard.databases.run_owner import RunOwner


def test_it_can_be_written_and_read():
    here = RunOwner.here()
    assert RunOwner.read(str(here)) == here
    assert (here.pid, here.is_local, here.is_dead) == (os.getpid(), True, False)


@pytest.mark.parametrize("text", ["", "nonsense", "machine/pid/started"])
def test_what_is_no_owner_is_none(text):
    assert RunOwner.read(text) is None


def test_an_ended_process_is_dead_and_so_is_a_zombie():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        owner = RunOwner(RunOwner.here().machine, process.pid, run_owner.process_start(process.pid))
        assert not owner.is_dead
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert owner.is_dead
    assert owner.is_dead


def test_another_process_with_its_number_is_not_it():
    assert replace(RunOwner.here(), started="1").is_dead


def test_of_another_machine_nothing_is_known():
    stranger = replace(RunOwner.here(), machine="other", started="1")
    assert not stranger.is_local
    assert not stranger.is_dead


def test_without_a_proc_file_system_ps_tells(monkeypatch, tmp_path):
    ps = tmp_path / "ps"
    ps.write_text("#!/bin/sh\ntest $4 = 7 && echo 'Mon 24 Nov'\n")
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert run_owner.process_start(7) == "Mon-24-Nov"
    assert run_owner.process_start(8) == ""
