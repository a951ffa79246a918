"""The worker threads among processes: nothing starts on import, forks, exit, limits.  Each scenario is a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

import fastgrad
import pytest
from fastgrad import _engine

HEAD = """
import os, sys, threading, time
import fastgrad as fg
from fastgrad import _engine
def large():
    return (fg.ones(300, 400) @ fg.ones(400, 300)).sum().item()
"""
TAIL = """
def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the child failed"
"""
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def run(program, **environment):
    path = os.pathsep.join([str(Path(fastgrad.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", HEAD + TAIL + program], capture_output=True, text=True, timeout=120,
                          env={**clean, "PYTHONPATH": path, **environment})
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_nothing_starts_on_import_or_for_small_work():
    run("""
fg.set_num_threads(4)
(fg.ones(3, requires_grad=True) * 2).sum().backward()
assert _engine.worker_count() == 0
_engine.set_cut_over(2, 0, 0)
assert large() == 300 * 300 * 400
assert _engine.worker_count() == 3
""")


@forks
def test_a_child_starts_its_own_workers():
    run("""
fg.set_num_threads(3)
_engine.set_cut_over(2, 0, 0)
large()
def work():
    assert _engine.worker_count() == 0
    assert large() == 300 * 300 * 400
    assert _engine.worker_count() == 2
    in_child(lambda: large() == 300 * 300 * 400 or 1 / 0)
for _ in range(20):
    in_child(work)
assert large() == 300 * 300 * 400
""")


@forks
def test_fork_while_a_launch_of_another_thread_runs():
    """The pool is taken in the parent: it is free in the child."""
    run("""
fg.set_num_threads(2)
_engine.set_cut_over(2, 0, 0)
x = fg.ones(2_000_000)
end = False
def busy():
    while not end:
        x.tanh()
thread = threading.Thread(target=busy)
thread.start()
def work():
    assert large() == 300 * 300 * 400
    assert _engine.worker_count() == 1
for _ in range(30):
    in_child(work)
end = True
thread.join()
""")


def test_exit_while_workers_look_for_work_and_while_a_thread_computes():
    for rest in ("", "threading.Thread(target=lambda: [x.tanh() for _ in range(10000)], daemon=True).start(); time.sleep(0.01)"):
        run(f"""
import atexit
atexit.register(lambda: print(large()))          # called after the pool has ended
fg.set_num_threads(4)
_engine.set_cut_over(2, 0, 0)
x = fg.ones(100_000)
large()
{rest}
""") == ["36000000.0"]


@pytest.mark.parametrize("environment, expected", [({"FASTGRAD_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3), ({"OMP_NUM_THREADS": "5"}, 5),
                                                   ({"OMP_NUM_THREADS": "4,2"}, 4), ({"FASTGRAD_NUM_THREADS": "1"}, 1)])
def test_environment(environment, expected):
    assert run("print(fg.get_num_threads())", **environment) == [str(expected)]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_the_cores_that_the_process_may_run_on():
    assert run("os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]); print(fg.get_num_threads())") == ["1"]


@pytest.mark.parametrize("files, expected", [
    ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
    ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "sys/fs/cgroup/a/cpu.max": "100000 100000\n"}, 1),
    ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "20000 100000\n"}, 1),
    ({"proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/x\n", "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "300000\n",
      "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n"}, 3),
    ({"proc/self/cgroup": "3:cpu:/x\n", "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n"}, None),
    ({}, None)])
def test_quota_of_container(files, expected, tmp_path):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    quota = _engine.quota_of_container(str(tmp_path))
    assert quota == expected if expected else quota > 1000


def test_setting():
    before = fastgrad.get_num_threads()
    try:
        fastgrad.set_num_threads(7)
        assert fastgrad.get_num_threads() == 7
        for wrong, error in ((0, RuntimeError), (-1, RuntimeError), (1.5, TypeError), ("2", TypeError)):
            with pytest.raises(error):
                fastgrad.set_num_threads(wrong)
            with pytest.raises(error):
                fastgrad.set_num_interop_threads(wrong)
        assert fastgrad.get_num_threads() == 7
        fastgrad.set_num_threads(100_000)              # more than there are workers
        a = fastgrad.ones(256, 256)
        assert (a @ a).sum().item() == 256.0 ** 3 and fastgrad.zeros(1 << 22).exp().sum().item() == 1 << 22
    finally:
        fastgrad.set_num_threads(before)
