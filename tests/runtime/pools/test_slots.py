"""Places are neither lost nor given twice, in whatever order callers come, go, fail and are cancelled."""

from __future__ import annotations

import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pytest_dbguard.runtime.pools.histogram import Histogram
from pytest_dbguard.runtime.pools.slots import PERMISSION, REFUSAL, SATURATION, Slots


class FakeWaiter:
    """A caller that waits until the test lets it go on."""

    def __init__(self):
        self.grant, self.is_served, self.is_gone = None, False, False

    def serve(self, grant):
        if self.is_gone:
            return False
        self.grant, self.is_served = grant, True
        return True


class Places(RuleBasedStateMachine):
    """Slots beside what is known of them: who holds what, who waits, what is looked after."""

    def __init__(self):
        super().__init__()
        self.slots = Slots(threading.RLock(), 2, 1, Histogram(), lifo=True)
        self.made = 0
        self.held: list[object] = []
        self.opening = 0
        self.aside: list[object] = []
        self.waiters: list[FakeWaiter] = []

    def received(self, grant):
        if grant is PERMISSION:
            self.opening += 1
        elif grant is not REFUSAL:
            self.held.append(grant)

    def settle(self):
        """Let those that were served go on, in their order."""
        for waiter in [each for each in self.waiters if each.is_served]:
            assert self.slots.leave(waiter)
            self.waiters.remove(waiter)
            self.received(waiter.grant)

    @rule(max_waiting=st.sampled_from([None, 0, 2]))
    def come(self, max_waiting):
        got = self.slots.take()
        if got is None:
            got = self.slots.claim(FakeWaiter, max_waiting)
        if isinstance(got, FakeWaiter):
            assert max_waiting is None or len(self.slots.waiting) <= max_waiting
            self.waiters.append(got)
        elif got is SATURATION:
            assert len(self.slots.waiting) >= max_waiting
        else:
            self.received(got)

    @precondition(lambda self: self.opening)
    @rule(succeeds=st.booleans())
    def open(self, succeeds):
        self.opening -= 1
        if succeeds:
            self.made += 1
            self.held.append(self.made)
        else:
            self.slots.release()
        self.settle()

    @precondition(lambda self: self.held)
    @rule(is_broken=st.booleans())
    def come_back(self, is_broken):
        connection = self.held.pop(0)
        if is_broken or not self.slots.give(connection):
            self.slots.release()
        self.settle()

    @precondition(lambda self: self.waiters)
    @rule(is_passed_over=st.booleans())
    def give_up(self, is_passed_over):
        waiter = self.waiters[0]
        if is_passed_over:  # cancelled, and has not run yet: it is still in the queue
            waiter.is_gone = True
        else:
            assert not self.slots.leave(waiter)
            self.waiters.remove(waiter)

    @rule()
    def look_after(self):
        self.aside += self.slots.set_aside(lambda _: True)

    @rule()
    def open_ahead(self):
        if self.slots.reserve():
            self.made += 1
            self.aside.append(self.made)

    @precondition(lambda self: self.aside)
    @rule(is_broken=st.booleans())
    def bring_back(self, is_broken):
        connection = self.aside.pop()
        if is_broken or not self.slots.give(connection, aside=True):
            self.slots.release(aside=True)
        self.settle()

    @rule(size=st.integers(1, 4), overflow=st.integers(0, 2))
    def resize(self, size, overflow):
        self.slots.resize(size, overflow)
        self.settle()

    @rule()
    def refuse_for_a_while(self):
        self.slots.refuse()
        assert all(each.is_served or each.is_gone for each in self.waiters), "somebody still waits"
        self.settle()
        assert self.slots.claim(FakeWaiter, None) is REFUSAL
        self.slots.accept()

    @invariant()
    def all_places_are_known(self):
        slots = self.slots
        assert slots.taken == len(self.held) + self.opening + len(slots.idle) + len(self.aside)
        assert slots.in_use == len(self.held) + self.opening
        assert slots.aside == len(self.aside)

    @invariant()
    def nobody_has_what_another_has(self):
        known = self.held + self.aside + list(self.slots.idle)
        assert len(known) == len(set(known))

    @invariant()
    def nobody_waits_for_what_is_there(self):
        slots = self.slots
        if any(not each.is_gone for each in slots.waiting):
            assert not slots.idle
            assert slots.taken >= slots.limit

    @invariant()
    def no_more_are_idle_than_may(self):
        assert len(self.slots.idle) <= 4


TestPlaces = Places.TestCase
TestPlaces.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)


def test_what_was_looked_after_goes_to_who_waits():
    slots = Slots(threading.RLock(), 1, 0, Histogram(), lifo=True)
    assert slots.reserve()
    waiter = slots.claim(FakeWaiter, None)
    assert (slots.in_use, slots.aside) == (0, 1)
    assert slots.give("it", aside=True)
    assert slots.leave(waiter)
    assert waiter.grant == "it"
    assert (slots.in_use, slots.aside) == (1, 0)
