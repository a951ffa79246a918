"""PyTorch's own samples, run on fastgrad and compared with PyTorch: values, dtypes, shapes, strides, gradients, errors."""
