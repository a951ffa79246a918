"""PyTorch's own samples on fastgrad, compared with PyTorch: values, dtypes, shapes, strides, gradients, errors."""
