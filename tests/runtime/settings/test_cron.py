"""Schedules as in a crontab."""

from __future__ import annotations

import pytest

from pytest_dbguard.runtime.settings import BackupSettings
from pytest_dbguard.runtime.settings.cron import wrong_in


@pytest.mark.parametrize(
    "text",
    [
        "30 3 * * *",
        "*/15 * * * *",
        "0 0-6/2 1,15 * *",
        "0 0 * jan-mar MON",
        "59 23 31 12 7",
        "  5   4 * *  0 ",
        "0 0 * 12 sun,sat",
    ],
)
def test_good_ones(text):
    assert wrong_in(text) is None
    assert BackupSettings(schedule=text).schedule == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30 3 * *", "not 4 of them"),
        ("30 3 * * * *", "not 6 of them"),
        ("60 * * * *", "'60' is no minute from 0 to 59"),
        ("* 24 * * *", "'24' is no hour from 0 to 23"),
        ("* * 0 * *", "'0' is no day from 1 to 31"),
        ("* * * 13 *", "'13' is no month from 1 to 12"),
        ("* * * * 8", "'8' is no weekday from 0 to 7"),
        ("* * * mon *", "'mon' is no month from 1 to 12"),
        ("1-99 * * * *", "'1-99' is no minute from 0 to 59"),
        ("20-10 * * * *", "'20-10' is no minute from 0 to 59"),
        ("*/0 * * * *", "'*/0' is no minute from 0 to 59"),
        ("1,,2 * * * *", "'' is no minute from 0 to 59"),
        ("@daily", "not 1 of them"),
        ("-1 * * * *", "'-1' is no minute from 0 to 59"),
    ],
)
def test_wrong_ones(text, said):
    assert said in wrong_in(text)
