"""GradScaler: losses scaled up so that gradients of low precision do not vanish."""

import warnings
from collections import defaultdict

import fastgrad as fg
from fastgrad._engine import Tensor

__all__ = ["GradScaler"]

READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"


class GradScaler:
    """Scales losses, unscales gradients, leaves out steps whose gradients are not finite, and follows the largest scale that works.

    Args:
        device: "cpu". With another device, which is not there, the scaler is disabled.
        init_scale: first scale.
        growth_factor, growth_interval: the scale grows by the factor after so many steps that were taken in a row.
        backoff_factor: what the scale shrinks by after a step that was left out.
        enabled: False for a scaler that does nothing.

    Example:
        >>> scaler = fastgrad.amp.GradScaler("cpu")
        >>> scaler.scale(loss).backward()
        >>> scaler.step(optimizer)
        >>> scaler.update()
    Source: Micikevicius et al. 2018, Mixed Precision Training.
    """

    def __init__(self, device="cuda", init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True):
        self._device = device
        self._enabled = enabled
        if enabled and device != "cpu":
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if self._enabled:
            if not backoff_factor < 1.0 < growth_factor:
                raise AssertionError(f"GradScaler: backoff_factor must be below 1 and growth_factor above, got {backoff_factor} and {growth_factor}")
            self._scale, self._growth_tracker = float(init_scale), 0
            self._growth_factor, self._backoff_factor, self._growth_interval = growth_factor, backoff_factor, growth_interval
            self._start_step()

    def _start_step(self):
        self._stages = defaultdict(lambda: READY)     # optimizer's id -> how far this step is
        self._overflow = {}                           # optimizer's id -> whether a gradient was not finite

    def scale(self, outputs):
        """A tensor, or tensors in lists and tuples, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(one) for one in outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer):
        """Divide the gradients of an optimizer's parameters by the scale.

        Raises: RuntimeError where that has been done since the last update.
        """
        if not self._enabled:
            return
        stage = self._stages[id(optimizer)]
        if stage == UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if stage == STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        overflow = False
        with fg.no_grad():
            for group in optimizer.param_groups:
                for param in group["params"]:
                    if param.grad is not None:
                        overflow = overflow or not bool(fg.isfinite(param.grad).all())
                        param.grad.mul_(1.0 / self._scale)
        self._overflow[id(optimizer)] = overflow
        self._stages[id(optimizer)] = UNSCALED

    def step(self, optimizer, *args, **kwargs):
        """optimizer.step(*args, **kwargs), if all gradients are finite; they are unscaled first where that has not been done.

        Raises: RuntimeError for a closure, and for a second step without update.
        """
        if self._enabled and "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if self._stages[id(optimizer)] == STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if self._stages[id(optimizer)] == READY:
            self.unscale_(optimizer)
        result = None if self._overflow[id(optimizer)] else optimizer.step(*args, **kwargs)
        self._stages[id(optimizer)] = STEPPED
        return result

    def update(self, new_scale=None):
        """Set the scale for the next step: new_scale, or what the steps since the last update suggest.

        Raises: AssertionError where there was no step.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._overflow:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._overflow.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        self._start_step()

    def is_enabled(self):
        """Whether the scaler does anything."""
        return self._enabled

    def get_scale(self):
        """The scale, a float."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self):
        return self._growth_factor

    def set_growth_factor(self, new_factor):
        self._growth_factor = new_factor

    def get_backoff_factor(self):
        return self._backoff_factor

    def set_backoff_factor(self, new_factor):
        self._backoff_factor = new_factor

    def get_growth_interval(self):
        return self._growth_interval

    def set_growth_interval(self, new_interval):
        self._growth_interval = new_interval

    def state_dict(self):
        """The scale and what it goes by; empty if disabled."""
        if not self._enabled:
            return {}
        return {"scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker}

    def load_state_dict(self, state_dict):
        """Take what state_dict gave.  Raises: RuntimeError where it is that of a disabled scaler."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler.")
        self._scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
