"""When the last event of each region came, `heard/{region}` in the store: what no event serves is polled."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bot.adapters.store import Store

WITHIN = 86_400.0  # seconds without an event after which a region is polled
_AGAIN = 60.0  # seconds in which one event stands for all
_KEEP = 30 * 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Heard:
    """The last event at `at`, and none of the gaps before it since `since` longer than a day; seconds, epoch."""

    at: float
    since: float

    def serves(self, now: float) -> bool:
        return now - self.at < WITHIN


def last(store: Store, region: str, now: float) -> Heard | None:
    """None where no event came for a month. Raises StoreError."""
    record = store.get(f"heard/{region}", now)
    return Heard(**record.value) if record else None


def remember(store: Store, region: str, now: float) -> None:
    """That an event has come. Raises StoreError."""
    before = last(store, region, now)
    if before is None or now - before.at > _AGAIN:
        since = before.since if before and before.serves(now) else now
        store.put(f"heard/{region}", asdict(Heard(now, since)), now + _KEEP)
