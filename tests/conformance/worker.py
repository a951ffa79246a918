"""One worker process: reads operations as JSON lines, answers with one JSON line per sample.

The parent learns which sample is running before it runs, so that a crash or a hang of the library is reported against that
sample and the rest still runs (`skip` names the samples that have killed a worker before). A sample's identity is
(variant, dtype, kind, index), stable from run to run.
"""

import importlib
import json
import os
import sys
import zlib

import torch

from tests.conformance.check import check_sample
from tests.conformance.convert import Unconvertible, describe
from tests.conformance.operations import operations


def evenly_chosen(items, most):
    """At most `most` (index, item) pairs, spread over the whole list."""
    indexed = list(enumerate(items))
    if len(indexed) <= most:
        return indexed
    return [indexed[i * len(indexed) // most] for i in range(most)]


def cases(operation, dtypes, most):
    """Every (kind, dtype, index, sample) of an operation."""
    for name in dtypes:
        dtype = getattr(torch, name)
        if operation.supports(dtype):
            for index, sample in evenly_chosen(operation.samples(dtype), most):
                yield "sample", name, index, sample
            for index, sample in evenly_chosen(operation.reference_inputs(dtype), most):
                yield "reference", name, index, sample
    for index, wrong in evenly_chosen(operation.error_inputs(), most):
        yield "error", "any", index, wrong.sample_input


def check_operation(request, library, send):
    skip = set(map(tuple, request["skip"]))
    for operation in operations(request["op"], library):
        for kind, dtype, index, sample in cases(operation, request["dtypes"], request["max_samples"]):
            for variant in operation.variants:
                key = (operation.label, variant.name, dtype, kind, index)
                if key in skip or index >= variant.most or (kind == "error" and variant is not operation.variants[0]):
                    continue
                send({"begin": key, "sample": describe((sample.input, *sample.args, sample.kwargs))})
                torch.manual_seed(zlib.crc32(repr(key).encode()))
                try:
                    status, message = check_sample(operation, variant, sample, library)
                except Unconvertible:
                    send({"skip": key})
                else:
                    send({"end": key, "status": status, "message": message})


def main():
    # Answers go to a private copy of stdout; whatever the library prints must not mix with them.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(message):
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    torch.set_num_threads(1)
    library = importlib.import_module(os.environ.get("FASTGRAD_CONFORMANCE_LIB", "fastgrad"))
    send({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            check_operation(request, library, send)
            send({"done": request["op"]})
        except Exception as error:
            send({"done": request["op"], "broken": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
