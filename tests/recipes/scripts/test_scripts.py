"""The script in this process and in one of its own; the second needs a database that other processes can reach."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from tables import cart

SCRIPT = Path(__file__).with_name("delete_old_carts.py")


@pytest.mark.parametrize("turn", range(2))
def test_runs_in_this_process(dbguard_engine, capsys, turn):
    with dbguard_engine.begin() as connection:
        added = connection.execute(insert(cart).values(customer="Edsger", age_in_days=0))
        assert added.inserted_primary_key == (3,)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert capsys.readouterr().out == "1 carts deleted\n"
    with dbguard_engine.connect() as connection:
        assert connection.scalars(select(cart.c.customer).order_by(cart.c.id)).all() == ["Ada", "Edsger"]


@pytest.mark.parametrize("turn", range(2))
def test_runs_in_another_process(dbguard_engine, turn):
    with dbguard_engine.begin() as connection:
        connection.execute(insert(cart).values(customer="Edsger", age_in_days=31))
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "2 carts deleted\n"
    with dbguard_engine.connect() as connection:
        assert connection.scalars(select(cart.c.customer)).all() == ["Ada"]
