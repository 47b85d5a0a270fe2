"""Whose turn it is to ask a server: one caller at a time."""

from __future__ import annotations

CLAIM_S = 15.0
"""Seconds after which nobody expects an answer any more: to connect may take long, and whoever asked may be gone."""


class Claimable:
    """A server that one caller asks, for all. Whoever calls holds the lock of all."""

    _claimed_until = 0.0

    def claim(self, now: float) -> bool:
        """Be the one who asks; False while another does."""
        if self.is_claimed(now):
            return False
        self._claimed_until = now + CLAIM_S
        return True

    def is_claimed(self, now: float) -> bool:
        """Whether somebody asks."""
        return now < self._claimed_until

    def release(self) -> None:
        """Let others ask again."""
        self._claimed_until = 0.0
