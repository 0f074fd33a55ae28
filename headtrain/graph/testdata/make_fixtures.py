"""Writes mlp.json beside itself: ten steps of PyTorch on generated data with a hidden layer, against which the
tests of this package compare. Needs numpy, torch.

usage: python make_fixtures.py
"""
import json, os
import numpy as np
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))


def floats(a):
    """float32 values as the shortest decimals that read back as the same float32"""
    return [float(str(v)) for v in np.asarray(a, np.float32).ravel()]


class Head(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(*layers[0][0].shape[::-1]), nn.Linear(*layers[1][0].shape[::-1])
        with torch.no_grad():
            for m, (w, b) in zip([self.fc1, self.fc2], layers):
                m.weight.copy_(torch.from_numpy(w))
                m.bias.copy_(torch.from_numpy(b))

    def forward(self, x, keep):
        return self.fc2(torch.relu(self.fc1(x)) * keep)


def main():
    n, d, hidden, k, batch, steps = 64, 12, 10, 4, 20, 10
    r = np.random.default_rng(2)
    y = r.integers(0, k, n)
    x = np.round(r.standard_normal((k, d))[y] * 0.7 + r.standard_normal((n, d)), 3).astype(np.float32)
    layers = [[np.round(r.uniform(-0.3, 0.3, s), 4).astype(np.float32) for s in [(o, i), o]] for i, o in [(d, hidden), (hidden, k)]]
    order = np.concatenate([r.permutation(n) for _ in range(steps)])
    batches, at = [], 0
    while len(batches) < steps:  # the last batch of an epoch is the smaller one
        size = min(batch, n - at % n)
        batches.append(order[at:at + size].tolist())
        at += size
    masks = [np.where(r.random((batch, hidden)) < 0.75, np.float32(1 / 0.75), np.float32(0)) for _ in batches]
    cases = []
    for name, lr, opt, loss, dropout in [
        ("adam", 1e-2, dict(optimizer="adam"), {}, 0),
        ("adam with weight decay and smoothing", 1e-2, dict(optimizer="adam", weight_decay=0.1), dict(label_smoothing=0.1), 0),
        ("adamw with dropout", 1e-2, dict(optimizer="adamw", weight_decay=0.1), {}, 0.25),
        ("sgd with momentum and class weights", 1e-1, dict(optimizer="sgd", momentum=0.9), dict(weight=[1, 2, 0.5, 0]), 0),
    ]:
        m = Head(layers)
        decay = opt.get("weight_decay", 0)
        if opt["optimizer"] == "sgd":
            o = torch.optim.SGD(m.parameters(), lr=lr, weight_decay=decay, momentum=opt.get("momentum", 0))
        else:
            o = (torch.optim.Adam if opt["optimizer"] == "adam" else torch.optim.AdamW)(m.parameters(), lr=lr, weight_decay=decay)
        weight = torch.tensor(loss["weight"], dtype=torch.float32) if "weight" in loss else None
        criterion = nn.CrossEntropyLoss(weight=weight, label_smoothing=loss.get("label_smoothing", 0.0))
        losses = []
        for rows, mask in zip(batches, masks):
            keep = torch.from_numpy(mask[:len(rows)].astype(np.float32)) if dropout else torch.ones(1)
            o.zero_grad()
            v = criterion(m(torch.from_numpy(x[rows]), keep), torch.from_numpy(y[rows]))
            v.backward()
            o.step()
            losses.append(float(v.detach()))
        cases.append(dict(name=name, lr=lr, options=dict(opt, dropout=dropout), loss=loss, losses=losses,
                          layers=[dict(W=floats(l.weight.detach()), B=floats(l.bias.detach())) for l in [m.fc1, m.fc2]]))
    with open(os.path.join(HERE, "mlp.json"), "w") as f:
        json.dump(dict(made_with="torch " + torch.__version__, dim=d, hidden=hidden, classes=k, x=floats(x), labels=y.tolist(),
                       layers=[dict(W=floats(w), B=floats(b)) for w, b in layers], batches=batches,
                       masks=[floats(m) for m in masks], cases=cases), f, separators=(",", ":"))
        f.write("\n")


main()
