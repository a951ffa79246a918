"""python -m benchmarks [QUESTION ...]: the comparison with every peer that is installed, printed, and saved as JSON and a picture."""

import argparse

from . import convolutions, course, kernels, layouts, limits, memory, overhead, products, scaling, startup, training
from .harness import head, measure, save, show
from .libraries import announce_threads, installed, use_threads, versions

TIMED = {"overhead": overhead, "kernels": kernels, "layouts": layouts, "products": products, "convolutions": convolutions,
         "training": training, "scaling": scaling}
COUNTED = {"startup": startup, "memory": memory, "course": course}


def options():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"{', '.join([*TIMED, 'threads', *COUNTED])}; none: all")
    parser.add_argument("--libs", default="", help="only these, with commas between them")
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="a round of one case on one library")
    parser.add_argument("--save", default="benchmarks.json", help="where the figures go, and, with matplotlib, the picture (.png)")
    given = parser.parse_args()
    unknown = set(given.questions) - {*TIMED, *COUNTED, "threads"}
    if unknown:
        parser.error(f"unknown questions: {', '.join(sorted(unknown))}")
    return given


def run(question, given, libraries):
    """The results of a question, printed as they come."""
    if question in COUNTED:
        head(question, COUNTED[question].__doc__.strip().splitlines()[0], libraries)
        for result in COUNTED[question].results(libraries, given.cases):
            show(result, libraries)
            yield result
        return
    if question == "threads":
        count = max(2, given.threads)
        libraries, doc, cases = ["fastgrad", f"{count} threads"], scaling.thread_cases.__doc__, scaling.thread_cases(count)
    else:
        doc, cases = TIMED[question].__doc__, TIMED[question].cases(libraries)
        use_threads(libraries, given.threads)
    cases = [case for case in cases if given.cases in case.name]
    libraries = [name for name in libraries if any(name in case.work for case in cases)]
    head(question, doc.strip().splitlines()[0], libraries)
    for case in cases:
        result = measure(question, case, libraries, given.rounds, given.seconds)
        show(result, libraries)
        yield result


def main():
    given = options()
    announce_threads(given.threads)
    libraries = given.libs.split(",") if given.libs else installed()
    machine = {**limits.machine(given.threads), "versions": versions(libraries)}
    for name, value in machine.items():
        print(f"{name}: {value}")
    results = []
    for question in given.questions or [*TIMED, "threads", *COUNTED]:
        results += run(question, given, libraries)
    save(given.save, machine, results)
    print(f"\nsaved: {given.save}")
    try:
        from .picture import draw
    except ImportError:
        return
    print(f"saved: {draw(given.save.removesuffix('.json') + '.png', results)}")


if __name__ == "__main__":
    main()
