"""Train a small network on srbench's Dataset, and evaluate it as any function. `srbench train` takes the same steps."""

import torch
from srbench_models.configurations import CONFIGURATIONS
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader

import srbench
from srbench.torch import ProtocolDataset


def train(protocol, data, steps=50, batch=4, patch=4096, seed=0):
    torch.manual_seed(seed)
    network = CONFIGURATIONS["additive_b5_small"].build().train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    dataset = ProtocolDataset(protocol, data, patch=patch, batch=batch, length=steps, seed=seed)
    for low, high in DataLoader(dataset, batch_size=None):
        loss = mse_loss(network(low), high)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def as_function(network):
    def upscale(low, low_rate, high_rate):
        raised = srbench.upscale(low, low_rate, to=high_rate, model="spline")
        with torch.inference_mode():
            return network(torch.tensor(raised, dtype=torch.float32)[None, None])[0, 0].double().numpy()

    return upscale
