"""Writes judge.json and metrics.json beside itself: calibration, averages, temperature, nearest neighbours, ridge regression
and reports of scikit-learn and scipy on generated data. Needs numpy, scipy, scikit-learn.

usage: python make_fixtures.py
"""
import json, os
import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

HERE = os.path.dirname(os.path.abspath(__file__))
BINS = 15


def floats(a):
    """float32 values as the shortest decimals that read back as the same float32"""
    return [float(str(v)) for v in np.asarray(a, np.float32).ravel()]


def calibration(y, z, temperature):
    p = softmax(z / temperature, axis=1)
    confidence, right = p.max(1), p.argmax(1) == y
    true, pred = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    # calibration_curve leaves empty bins out and gives no counts; its own rule of binning:
    edges = np.linspace(0, 1, BINS + 1)
    rows = np.bincount(np.searchsorted(edges[1:-1], confidence), minlength=BINS)
    ece = float(np.sum(rows[rows > 0] / len(y) * np.abs(true - pred)))
    return dict(temperature=temperature, loss=metrics.log_loss(y, p, labels=range(z.shape[1])), rows=rows.tolist(),
                accuracy=true.tolist(), confidence=pred.tolist(), ece=ece)


def judged(name, k, n, sharp, seed, absent=()):
    r = np.random.default_rng(seed)
    y = r.choice([c for c in range(k) if c not in absent], n)
    z = r.standard_normal((n, k))
    z[np.arange(n), y] += 1
    z[:, list(absent)] -= 50
    z = np.round(z * sharp, 3).astype(np.float32)
    s = z.astype(np.float64)
    pred = s.argmax(1)
    report = metrics.classification_report(y, pred, output_dict=True, zero_division=0)
    average = {a: {m: report[a + " avg"][v] for m, v in [("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")]}
               for a in ("macro", "weighted")}
    nll = lambda beta: -log_softmax(s * beta, axis=1)[np.arange(n), y].mean()
    fit = minimize_scalar(nll, bounds=(0.05, 20), method="bounded", options=dict(xatol=1e-12))
    return dict(name=name, classes=k, logits=floats(z), labels=y.tolist(), macro=average["macro"], weighted=average["weighted"],
                best_temperature=1 / fit.x, best_loss=float(fit.fun), calibration=[calibration(y, s, t) for t in (1.0, 0.5, 3.0)])


def features(n, d, k, seed):
    r = np.random.default_rng(seed)
    y = np.arange(n) % k
    centre = np.random.default_rng(9).standard_normal((k, d))
    x = np.maximum(0, centre[y] + r.standard_normal((n, d)) + 0.3) * np.exp(np.random.default_rng(8).standard_normal(d))
    x[:, 5] = 0  # a dead unit
    return np.round(x, 3).astype(np.float32), y


def baselines():
    d, k = 20, 4
    x, y = features(90, d, k, 1)
    q, _ = features(24, d, k, 2)
    s, t = x.astype(np.float64), q.astype(np.float64)
    scale = StandardScaler().fit(s)
    ridges = []
    for alpha in (0.5, 20.0):
        m = Ridge(alpha=alpha).fit(scale.transform(s), np.eye(k)[y])
        ridges.append(dict(penalty=alpha, scores=m.predict(scale.transform(t)).ravel().tolist()))
    votes = []
    for n in (1, 5, 20):
        m = KNeighborsClassifier(n, metric="cosine", algorithm="brute", weights=lambda distance: 1 - distance).fit(s, y)
        votes.append(dict(k=n, labels=m.predict(t).tolist()))
    distance, at = KNeighborsClassifier(20, metric="cosine", algorithm="brute").fit(s, y).kneighbors(t)
    return dict(dim=d, classes=k, x=floats(x), labels=y.tolist(), queries=floats(q), ridges=ridges, votes=votes,
                rows=at.tolist(), cosines=(1 - distance).tolist())


def reported(name, k, n, absent, unlabelled, push=-50):
    r = np.random.default_rng(k * 1000 + n)
    y = r.choice([c for c in range(k) if c not in absent], n)
    z = np.round(r.standard_normal((n, k)) * 1.5, 3).astype(np.float32)
    z[np.arange(n), y] += 1
    for c in absent:
        z[:, c] += push
    labels = np.where(r.random(n) < unlabelled, -1, y)
    keep = labels >= 0
    t, s = labels[keep], z[keep].astype(np.float64)
    pred = s.argmax(1)
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    every = list(range(k))
    prec, rec, f1, sup = metrics.precision_recall_fscore_support(t, pred, labels=every, zero_division=0)
    top5 = metrics.top_k_accuracy_score(t, s, k=5, labels=every) if k > 5 else 1.0
    return dict(name=name, classes=k, logits=floats(z), labels=labels.tolist(), n=int(keep.sum()),
                loss=metrics.log_loss(t, p, labels=every), top1=metrics.accuracy_score(t, pred), top5=top5,
                macro_f1=metrics.f1_score(t, pred, average="macro", zero_division=0),
                balanced_accuracy=metrics.balanced_accuracy_score(t, pred),
                precision=prec.tolist(), recall=rec.tolist(), f1=f1.tolist(), support=sup.tolist(),
                confusion=metrics.confusion_matrix(t, pred, labels=every).tolist())


def evaluation():
    cases = [reported("seven classes", 7, 90, [], 0), reported("two classes", 2, 30, [], 0), reported("unlabelled rows", 4, 40, [], 0.3),
             reported("a class neither labelled nor predicted", 6, 50, [2], 0),
             reported("a class predicted but never labelled", 6, 45, [3], 0, push=0.5)]
    with open(os.path.join(HERE, "metrics.json"), "w") as f:
        json.dump(dict(made_with="scikit-learn " + sklearn.__version__, cases=cases), f, separators=(",", ":"))
        f.write("\n")


cases = [judged("as sure as it should be", 4, 120, 1, 1), judged("too sure", 6, 90, 4, 2), judged("too unsure", 3, 80, 0.3, 3),
         judged("a class neither labelled nor predicted", 5, 70, 1.5, 4, absent=[2])]
with open(os.path.join(HERE, "judge.json"), "w") as f:
    json.dump(dict(made_with=f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}", cases=cases, baselines=baselines()), f, separators=(",", ":"))
    f.write("\n")
evaluation()
