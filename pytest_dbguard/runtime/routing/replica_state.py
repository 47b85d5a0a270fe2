"""What is known of one replica, for people and metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["unknown", "good", "lagging", "ejected"]


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """One replica as it is seen from here."""

    target: str
    """Its name, such as "readonly-2"."""

    state: State
    """"unknown" until it has answered; "lagging" and "ejected" ones take no reads."""

    weight: float
    failures: int
    """Failures since it last answered."""

    lag_s: float | None
    """Seconds that it lags behind primary; None where that is not known."""

    reason: str = ""
    """Why it is not good."""

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain types."""
        return asdict(self)
