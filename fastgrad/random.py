"""fastgrad.random: seeding, and the state of the default generator."""

from contextlib import contextmanager

from fastgrad._ops import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = ["default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


@contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cuda"):
    """Within the block, draws leave the default generator's state as it was before.

    Args:
        devices: accelerators whose generators to keep; there are none.
        enabled: False makes the block do nothing.
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
