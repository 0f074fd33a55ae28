"""Writes torch.json, ema.json, mixup.json, schedule.json, lbfgs.json and lbfgs_raw.json beside itself: numbers of PyTorch
and scikit-learn on generated data, against which the tests of this package compare. Needs numpy, torch, scikit-learn.

usage: python make_fixtures.py
"""
import json, os
import numpy as np
import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(value, f, separators=(",", ":"))
        f.write("\n")


def floats(a):
    """float32 values as the shortest decimals that read back as the same float32"""
    return [float(str(v)) for v in np.asarray(a, np.float32).ravel()]


def training():
    n, d, k, batch, steps = 64, 24, 5, 20, 10
    r = np.random.default_rng(1)
    y = r.integers(0, k, n)
    x = np.round(r.standard_normal((k, d))[y] * 0.7 + r.standard_normal((n, d)), 3).astype(np.float32)
    w0 = np.round(r.uniform(-0.2, 0.2, (k, d)), 4).astype(np.float32)
    b0 = np.round(r.uniform(-0.2, 0.2, k), 4).astype(np.float32)
    order = np.concatenate([r.permutation(n) for _ in range(steps)])
    batches, at = [], 0
    while len(batches) < steps:  # the last batch of an epoch is the smaller one
        size = min(batch, n - at % n)
        batches.append(order[at:at + size].tolist())
        at += size
    cases = []
    for name, lr, opt, loss in [
        ("adam", 1e-2, dict(optimizer="adam"), {}),
        ("adam with weight decay", 1e-2, dict(optimizer="adam", weight_decay=0.1), {}),
        ("adam with other betas and eps", 1e-2, dict(optimizer="adam", beta1=0.8, beta2=0.95, eps=1e-3), {}),
        ("adamw", 1e-2, dict(optimizer="adamw", weight_decay=0.1), {}),
        ("sgd", 1e-1, dict(optimizer="sgd"), {}),
        ("sgd with weight decay", 1e-1, dict(optimizer="sgd", weight_decay=0.05), {}),
        ("sgd with momentum", 1e-1, dict(optimizer="sgd", momentum=0.9), {}),
        ("sgd with nesterov momentum", 1e-1, dict(optimizer="sgd", momentum=0.9, nesterov=True, weight_decay=0.01), {}),
        ("adam with class weights", 1e-2, dict(optimizer="adam"), dict(weight=[1, 2, 0.5, 0, 3])),
        ("sgd with label smoothing", 1e-1, dict(optimizer="sgd"), dict(label_smoothing=0.1)),
        ("sgd with momentum and weight decay", 1e-1, dict(optimizer="sgd", momentum=0.8, weight_decay=0.05), {}),
        ("adamw with other betas, class weights and label smoothing", 1e-2,
         dict(optimizer="adamw", weight_decay=0.2, beta1=0.7, beta2=0.9), dict(weight=[1, 2, 0.5, 0.1, 3], label_smoothing=0.1)),
        ("sgd with both", 1e-1, dict(optimizer="sgd"), dict(weight=[1, 2, 0.5, 0.1, 3], label_smoothing=0.2)),
    ]:
        m = nn.Linear(d, k)
        with torch.no_grad():
            m.weight.copy_(torch.from_numpy(w0))
            m.bias.copy_(torch.from_numpy(b0))
        decay = opt.get("weight_decay", 0)
        if opt["optimizer"] == "sgd":
            o = torch.optim.SGD(m.parameters(), lr=lr, weight_decay=decay, momentum=opt.get("momentum", 0), nesterov=opt.get("nesterov", False))
        else:
            kind = torch.optim.Adam if opt["optimizer"] == "adam" else torch.optim.AdamW
            o = kind(m.parameters(), lr=lr, weight_decay=decay, betas=(opt.get("beta1", 0.9), opt.get("beta2", 0.999)), eps=opt.get("eps", 1e-8))
        weight = torch.tensor(loss["weight"], dtype=torch.float32) if "weight" in loss else None
        criterion = nn.CrossEntropyLoss(weight=weight, label_smoothing=loss.get("label_smoothing", 0.0))
        losses, norms = [], []
        for b in batches:
            o.zero_grad()
            v = criterion(m(torch.from_numpy(x[b])), torch.from_numpy(y[b]))
            v.backward()
            o.step()
            losses.append(float(v.detach()))
            norms.append([float(m.weight.detach().double().norm()), float(m.bias.detach().double().norm())])
        cases.append(dict(name=name, lr=lr, options=opt, loss=loss, losses=losses, norms=norms,
                          w=floats(m.weight.detach()), b=floats(m.bias.detach())))
    write("torch.json", dict(made_with="torch " + torch.__version__, dim=d, classes=k, x=floats(x), labels=y.tolist(),
                             w0=floats(w0), b0=floats(b0), batches=batches, cases=cases))


def linear(t):
    """the layer that the steps of torch.json begin with, and its data"""
    k, d = t["classes"], t["dim"]
    m = nn.Linear(d, k)
    with torch.no_grad():
        m.weight.copy_(torch.tensor(t["w0"]).reshape(k, d))
        m.bias.copy_(torch.tensor(t["b0"]))
    return m, torch.tensor(t["x"]).reshape(-1, d), torch.tensor(t["labels"])


def optimizer(m, name, lr):
    return dict(adam=torch.optim.Adam, sgd=torch.optim.SGD)[name](m.parameters(), lr=lr)


def averages():
    t = json.load(open(os.path.join(HERE, "torch.json")))
    cases = []
    for name, lr, decay in [("adam", 1e-2, 0.9), ("sgd", 1e-1, 0.3), ("sgd", 1e-1, 0.999)]:
        m, x, y = linear(t)
        o = optimizer(m, name, lr)
        a = torch.optim.swa_utils.AveragedModel(m, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay))
        after = []
        for b in t["batches"]:
            o.zero_grad()
            nn.functional.cross_entropy(m(x[b]), y[b]).backward()
            o.step()
            a.update_parameters(m)
            after.append(floats(a.module.bias.detach()))
        cases.append(dict(name=f"{name}, decay {decay}", lr=lr, options=dict(optimizer=name, ema=decay), after=after,
                          w=floats(a.module.weight.detach()), b=after[-1]))
    write("ema.json", dict(made_with="torch " + torch.__version__, cases=cases))


def mixtures():
    """steps on mixed batches, as facebookresearch/mixup-cifar10 takes them"""
    t = json.load(open(os.path.join(HERE, "torch.json")))
    r = np.random.default_rng(4)
    lams = [round(float(r.beta(1, 1)), 4) for _ in t["batches"]]
    orders = [r.permutation(len(b)).tolist() for b in t["batches"]]
    cases = []
    for name, lr, opt, weight in [
        ("adam", 1e-2, dict(optimizer="adam"), None),
        ("sgd with label smoothing", 1e-1, dict(optimizer="sgd", label_smoothing=0.1), None),
        ("sgd with both", 1e-1, dict(optimizer="sgd", label_smoothing=0.2), [1, 2, 0.5, 0, 3]),
    ]:
        m, x, y = linear(t)
        o = optimizer(m, opt["optimizer"], lr)
        criterion = nn.CrossEntropyLoss(weight=None if weight is None else torch.tensor(weight, dtype=torch.float32),
                                        label_smoothing=opt.get("label_smoothing", 0.0))
        losses = []
        for b, lam, order in zip(t["batches"], lams, orders):
            inputs, ya = x[b], y[b]
            yb = ya[order]
            o.zero_grad()
            pred = m(lam * inputs + (1 - lam) * inputs[order])
            v = lam * criterion(pred, ya) + (1 - lam) * criterion(pred, yb)
            v.backward()
            o.step()
            losses.append(float(v.detach()))
        cases.append(dict(name=name, lr=lr, options=opt, weight=weight, losses=losses,
                          w=floats(m.weight.detach()), b=floats(m.bias.detach())))
    write("mixup.json", dict(made_with="torch " + torch.__version__, **{"lambda": lams}, order=orders, cases=cases))


def schedules():
    S = torch.optim.lr_scheduler
    per_epoch, epochs, lr = 4, 6, 0.5
    total = per_epoch * epochs
    cases = []
    for name, options, make in [
        ("constant", dict(), lambda o, n: S.ConstantLR(o, 1.0, n)),
        ("cosine", dict(schedule="cosine"), lambda o, n: S.CosineAnnealingLR(o, n)),
        ("step", dict(schedule="step", step_epochs=2, step_factor=0.3), lambda o, n: S.StepLR(o, 2 * per_epoch, 0.3)),
        ("onecycle", dict(schedule="onecycle"), lambda o, n: S.OneCycleLR(o, lr, total_steps=n, cycle_momentum=False)),
    ]:
        for warm in (0, 2):
            if warm and name == "onecycle":
                continue  # PyTorch's OneCycleLR does not go into a SequentialLR
            o = torch.optim.SGD([torch.zeros(1)], lr=lr)
            w = warm * per_epoch
            s = make(o, total - w)
            if warm:
                o = torch.optim.SGD([torch.zeros(1)], lr=lr)
                s = S.SequentialLR(o, [S.LinearLR(o, 1 / w, 1.0, w - 1), make(o, total - w)], [w])
            rates = []
            for _ in range(total):
                rates.append(o.param_groups[0]["lr"])
                o.step()
                s.step()
            cases.append(dict(name=f"{name}, {warm} epochs of warm-up", options=dict(options, warmup=warm, epochs=epochs, lr=lr), rates=rates))
    write("schedule.json", dict(made_with="torch " + torch.__version__, steps_per_epoch=per_epoch, cases=cases))


def converged():
    n, d, k = 240, 12, 4
    r = np.random.default_rng(3)
    y = np.concatenate([np.arange(k), r.integers(0, k, n - k)])
    x = np.round(r.standard_normal((k, d))[y] * 0.8 + r.standard_normal((n, d)), 3).astype(np.float32)
    cases = []
    for c, balanced in [(1.0, False), (0.05, False), (20.0, True)]:
        m = LogisticRegression(C=c, tol=1e-10, max_iter=100_000, class_weight="balanced" if balanced else None)
        m.fit(x.astype(np.float64), y)
        z = x.astype(np.float64) @ m.coef_.T + m.intercept_
        z -= z.max(1, keepdims=True)
        w = n / (k * np.bincount(y)) if balanced else np.ones(k)
        loss = (w[y] * (np.log(np.exp(z).sum(1)) - z[np.arange(n), y])).sum() / n
        cases.append(dict(c=c, balanced=balanced, loss=loss, objective=loss + (m.coef_ ** 2).sum() / (2 * c * n), w=m.coef_.ravel().tolist()))
    write("lbfgs.json", dict(made_with="scikit-learn " + sklearn.__version__, dim=d, classes=k, x=floats(x), labels=y.tolist(), cases=cases))


def ill_conditioned():
    """Features as a backbone gives them, and worse: none is centred, their scales lie a factor of 3000 apart, and they vary together. Newton's
    method, with tol=1e-10 in float64, finds the optimum; the gradient there is checked."""
    n, d, k = 300, 16, 5
    r = np.random.default_rng(7)
    y = np.concatenate([np.arange(k), r.integers(0, k, n - k)])
    common = r.standard_normal((n, 1)) @ r.standard_normal((1, d))
    x = r.standard_normal((k, d))[y] * 0.5 + common + 0.3 * r.standard_normal((n, d))
    x = ((x + 8 * r.random(d)) * np.logspace(-1.5, 2, d)).astype(np.float32)
    x = np.array([float("%.5g" % v) for v in x.ravel()], np.float32).reshape(n, d)
    raw = x.astype(np.float64)
    inputs = dict(none=raw, standardise=(raw - raw.mean(0)) / raw.std(0), l2=raw / np.linalg.norm(raw, axis=1, keepdims=True))
    cases = []
    for name, u in inputs.items():
        for c in [0.01, 1.0, 100.0] + [1e4] * (name == "l2"):
            m = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(u, y)
            z = u @ m.coef_.T + m.intercept_
            z -= z.max(1, keepdims=True)
            p = np.exp(z)
            p /= p.sum(1, keepdims=True)
            slope = (p - np.eye(k)[y]).T @ u / n + m.coef_ / (c * n)
            assert m.n_iter_[0] < 1000 and np.abs(slope).max() < 1e-9, (name, c, np.abs(slope).max())
            loss = -np.log(p[np.arange(n), y]).mean()
            cases.append(dict(input=name, c=c, loss=loss, objective=loss + (m.coef_ ** 2).sum() / (2 * c * n)))
    write("lbfgs_raw.json", dict(made_with="scikit-learn " + sklearn.__version__, dim=d, classes=k, x=floats(x), labels=y.tolist(), cases=cases))


training()
averages()
mixtures()
schedules()
converged()
ill_conditioned()
