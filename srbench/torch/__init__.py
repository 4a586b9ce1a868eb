"""Tensors: metrics of batches with gradients, as functions and as torchmetrics, and a Dataset of patches."""
