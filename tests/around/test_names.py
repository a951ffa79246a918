"""What stands around torch: compile, jit, hub, profiler, benchmark, multiprocessing."""

import json
import warnings

import pytest

import fastgrad as fg
from fastgrad import hub, jit, multiprocessing, profiler
from fastgrad.utils import benchmark
from tests.nn.both import assert_same


def test_compile_and_script_give_back_what_they_get():
    layer = fg.nn.Linear(2, 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert fg.compile(layer) is layer and fg.compile(backend="eager")(layer) is layer
        assert jit.script(layer) is layer and jit.trace(layer, fg.ones(1, 2)) is layer

        @jit.ignore
        def f(x):
            return x

        @fg.compile(mode="reduce-overhead")
        def g(x):
            return x + 1

    assert f(1) == 1 and g(1) == 2
    assert len(caught) <= 2                      # one a kind; none if another test was first
    with pytest.raises(RuntimeError, match="Either mode or options"):
        fg.compile(layer, mode="default", options={})
    with pytest.raises(NotImplementedError, match="state_dict"):
        jit.save(layer, "x")


@pytest.mark.parametrize("name", ["load", "list", "load_state_dict_from_url", "download_url_to_file"])
def test_hub_refuses(name):
    with pytest.raises(NotImplementedError, match=f"torch.hub.{name}"):
        getattr(hub, name)("owner/name", "model")


def test_schedule_is_pytorchs():
    def observe(lib):
        import torch

        make = torch.profiler.schedule if lib is torch else profiler.schedule
        return [[make(**kwargs)(i).name for i in range(20)] for kwargs in (dict(wait=1, warmup=1, active=2), dict(wait=0, warmup=2, active=1, repeat=2),
                                                                           dict(wait=2, warmup=0, active=1, skip_first=3))]

    assert_same(observe)


def test_old_names():
    assert fg.autograd.profiler.record_function is profiler.record_function
    with pytest.raises(NotImplementedError, match="hub"):
        fg.utils.model_zoo.load_url("https://example.org/x.pth")


def test_profile(tmp_path):
    with profiler.profile() as p:
        for _ in range(3):
            with profiler.record_function("part"):
                fg.ones(10).sum()
            p.step()
    rows = {row.key: row for row in p.key_averages()}
    assert rows["part"].count == 3 and rows["part"].cpu_time_total > 0
    assert "part" in p.key_averages().table(sort_by="cpu_time_total", row_limit=5)
    p.export_chrome_trace(tmp_path / "trace.json")
    assert sum(e["name"] == "part" for e in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]) == 3


def test_profile_of_operations_shapes_and_memory():
    x = fg.ones(4, 5)
    with profiler.profile(record_shapes=True, profile_memory=True) as p, profiler.record_function("outer", "a note"):
        x.exp()
        (x + 1).exp()
        fg.cat([x, x])[0].exp()
    rows = {(row.key, row.input_shapes): row for row in p.key_averages(group_by_input_shape=True)}
    assert rows["aten::exp", ((4, 5),)].count == 2 and rows["aten::exp", ((5,),)].count == 1
    outer = rows["outer", ()]
    assert outer.self_cpu_time_total < outer.cpu_time_total
    total = sum(row.self_cpu_time_total for row in rows.values())
    assert total == pytest.approx(outer.cpu_time_total)
    assert p.events()[-1].args == "a note"
    text = p.key_averages().table(sort_by="self_cpu_time_total", row_limit=1, header="a header")
    assert text.startswith("a header\n---") and "CPU Mem" in text and len(text.splitlines()) == 7
    with pytest.raises(AttributeError):
        p.key_averages().table(sort_by="no_such_column")
    with fg.autograd.profiler.profile(enabled=False) as off:
        x.exp()
    assert off.events() == []


@pytest.mark.parametrize("name", ["with_stack", "with_flops", "with_modules"])
def test_profile_refuses_what_it_does_not_measure(name):
    with pytest.raises(NotImplementedError, match=name):
        profiler.profile(**{name: True})


def test_timer():
    calls = []
    timer = benchmark.Timer("f()", globals={"f": lambda: calls.append(1)}, label="a label", sub_label="a row", description="a column")
    made = timer.timeit(10)
    assert made.number_per_run == 10 and len(made.times) == 1 and made.median == made.mean > 0 and len(calls) == 12
    ranged = timer.blocked_autorange(min_run_time=0.01)
    assert sum(ranged.raw_times) >= 0.01 and "a label" in repr(ranged)
    assert "a column" in str(benchmark.Compare([made, ranged]))
    assert [benchmark.select_unit(t)[0] for t in (2.0, 2e-3, 2e-6, 2e-9, 2e-12)] == ["s", "ms", "us", "ns", "ns"]
    with pytest.raises(NotImplementedError, match="language"):
        benchmark.Timer("x", language="c++")


def test_data_parallel():
    def observe(lib):
        lib.manual_seed(0)
        model = lib.nn.DataParallel(lib.nn.Linear(2, 1))
        return repr(model), model.state_dict(), model(lib.ones(3, 2))

    assert_same(observe, rtol=1e-6)


def fails(i, queue):
    if i == 1:
        raise RuntimeError("number one")
    queue.put(fg.full((2,), float(i)))


def test_spawned_processes():
    queue = multiprocessing.get_context("fork").SimpleQueue()
    with pytest.raises(multiprocessing.ProcessRaisedException, match="number one"):
        multiprocessing.start_processes(fails, (queue,), nprocs=2, start_method="fork")
    multiprocessing.start_processes(fails, (queue,), nprocs=1, start_method="fork")
    values = [queue.get().tolist()]
    while not queue.empty():
        values.append(queue.get().tolist())
    assert values in ([[0.0, 0.0]], [[0.0, 0.0]] * 2)
