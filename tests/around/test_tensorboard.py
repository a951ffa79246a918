"""SummaryWriter, where tensorboardX is installed: tensors go in, and the files hold what was written."""

import pytest

import fastgrad as fg

pytest.importorskip("tensorboardX")


def test_what_was_written(tmp_path):
    from tensorboardX.event_file_writer import EventFileWriter  # noqa: F401
    from tensorboardX.proto import event_pb2

    from fastgrad.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", fg.tensor(1.5), global_step=3)
        writer.add_histogram("weights", fg.arange(10.0), 0)
        writer.add_image("image", fg.rand(3, 4, 4))
        with pytest.raises(NotImplementedError, match="add_graph"):
            writer.add_graph(fg.nn.Linear(1, 1))
    data, found = next(tmp_path.iterdir()).read_bytes(), {}
    while data:                                   # records: length, its checksum, event, its checksum
        length = int.from_bytes(data[:8], "little")
        event = event_pb2.Event.FromString(data[12:12 + length])
        found.update({value.tag: (event.step, value) for value in event.summary.value})
        data = data[16 + length:]
    step, loss = found["loss"]
    assert step == 3 and loss.simple_value == 1.5
    assert found["weights"][1].histo.num == 10 and found["image"][1].image.height == 4
