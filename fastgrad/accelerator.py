"""fastgrad.accelerator: there is none beside the CPU."""


def is_available():
    """False."""
    return False


def device_count():
    """0."""
    return 0


def current_accelerator(check_available=False):
    """None."""
    return None


def current_device_index():
    """Raises RuntimeError: there is no accelerator."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


def set_device_index(device):
    """Raises RuntimeError: there is no accelerator."""
    current_device_index()


class device_index:
    """A block on another device: None is no other; an index raises RuntimeError, as there is no accelerator."""

    def __init__(self, device):
        self.device = device

    def __enter__(self):
        if self.device is not None:
            current_device_index()

    def __exit__(self, *exception):
        pass


def synchronize(device=None):
    """Raises RuntimeError: there is no accelerator."""
    current_device_index()
