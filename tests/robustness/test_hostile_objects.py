"""Objects that lie about their memory or act when they are looked at, and hooks that do what they like, each kind in a process of its own."""
import pytest

from tests.robustness.test_bad_input import run


@pytest.mark.parametrize("scenario", ["dlpack", "arrays", "sequences", "indices", "hooks", "nodes"])
def test_the_process_lives(scenario):
    done = run("-m", "tests.robustness.hostile_objects", scenario)
    assert done.returncode == 0, done.stderr[-3000:]
