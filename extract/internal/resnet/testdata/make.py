"""Writes torch.json: what PyTorch computes for the images and weights of the recipe.

usage: python make.py > torch.json     (needs numpy, torch, torchvision)

The recipe (the same as in recipe_test.go) draws every value from splitmix64, seeded
by FNV-1a of the tensor's name, as an integer of 24 bits. Weights are rounded to
float32; the network then runs in float64, so that the file holds the true values of
a float32 network, to more digits than are compared.
"""
import json

import numpy as np
import torch
import torchvision

MASK = (1 << 64) - 1
SIDE = 224
SAMPLES = 64


def seed(name):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & MASK
    return h


def draw(name, n):
    """n outputs of splitmix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed(name)) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def unit(name, n):
    """n values, uniform in [-1, 1)."""
    return ((draw(name, n) >> np.uint64(40)).astype(np.int64) - (1 << 23)) / float(1 << 23)


def tensor(name, shape):
    u = unit(name, int(np.prod(shape)))
    norm = name.rsplit(".", 1)[0]
    if len(shape) == 4:
        u = u * np.sqrt(6 / float(np.prod(shape[1:])))
    elif name.endswith("running_var"):
        u = 1 + 0.5 * u
    elif name.endswith("weight"):
        u = (0.5 if norm.endswith("bn2") else 1.0) * (1 + 0.5 * u)
    else:
        u = 0.25 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def image(n):
    noise = (draw(f"image{n}", SIDE * SIDE * 3) >> np.uint64(60)).astype(np.int64).reshape(SIDE, SIDE, 3)
    y, x, c = np.meshgrid(np.arange(SIDE), np.arange(SIDE), np.arange(3), indexing="ij")
    v = (x * (c + 1) + y * (3 - c)) // 4 + 96 * ((x // (9 + n) + y // 14) % 2) + noise
    return (v % 256).astype(np.uint8)


def normalised(pixels):
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    std = np.array([0.229, 0.224, 0.225], np.float32)
    x = (pixels.astype(np.float32) / np.float32(255) - mean) / std
    return torch.from_numpy(x.transpose(2, 0, 1)[None].astype(np.float64))


def sample(x):
    """SAMPLES values spread over x, and the sum of all."""
    flat = x.flatten()
    index = [(i * 2654435761) % flat.numel() for i in range(SAMPLES)]
    return {"sum": float(flat.sum()), "values": [float(np.float32(v)) for v in flat[index]]}


def main():
    model = torchvision.models.resnet18()
    state = model.state_dict()
    for name, old in state.items():
        if not name.startswith("fc.") and not name.endswith("num_batches_tracked"):
            state[name] = tensor(name, tuple(old.shape))
    model.load_state_dict(state)
    model.fc = torch.nn.Identity()
    model.eval().double()
    images = []
    blocks = {}
    watch = {"stem": model.maxpool}
    for i, layer in enumerate((model.layer1, model.layer2, model.layer3, model.layer4), 1):
        for j, block in enumerate(layer):
            watch[f"layer{i}.{j}"] = block
    for name, module in watch.items():
        module.register_forward_hook(lambda m, a, out, name=name: blocks.__setitem__(name, sample(out)))
    with torch.inference_mode():
        for n in range(2):
            features = model(normalised(image(n)))[0]
            images.append({"blocks": dict(blocks), "features": [float(np.float32(v)) for v in features]})
    print(json.dumps({"torch": torch.__version__.split("+")[0], "images": images}))


main()
