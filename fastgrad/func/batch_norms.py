"""replace_all_batch_norm_modules_: batch norms without running statistics, which vmap could not write to."""

from fastgrad.nn.modules.normalization import _BatchNorm

__all__ = ["replace_all_batch_norm_modules_"]


def replace_all_batch_norm_modules_(root):
    """Make each batch norm in `root` normalize by its batch alone, in place; gives root back."""
    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return root
