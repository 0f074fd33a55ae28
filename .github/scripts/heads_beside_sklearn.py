"""Train heads with icebox's default options and with scikit-learn's searches, on the same splits, and print a table.

usage: python heads_beside_sklearn.py --icebox ./icebox [--features DIR]… [--synthetic ROWS]… [--seeds 5] [--shares 1,0.25]
needs: numpy scikit-learn. DIR holds features.npy and labels.npy, as `icebox cache export` writes them.

Each seed holds out a quarter of every class as test and takes a share of the rest to learn from. Beside each other, on the
same rows:

icebox      icebox train --features, no other option
LRCV        LogisticRegressionCV: 10 Cs, 5 folds, standardised features
ridge       RidgeClassifierCV: 15 penalties from 0.01 to 100,000, standardised features
baseline    the best, over all seeds, of icebox's own baselines

The table has, for each set, the mean accuracies over the seeds, "short" (how many points icebox is below the best of the
others) and "2 SE" (two standard errors of the mean of that difference, paired by seed). Seconds are processor time of all threads: "all" of the icebox command, "tune" of its tuning alone (all, less that
of the same command with the chosen options), "wall" what the clock said of tuning. Machines are noisy, and BLAS may be held
to one thread by OPENBLAS_NUM_THREADS=1.

beside_peers.py --only sklearn prints the same table, and holds `icebox sweep` beside LogisticRegressionCV by the functions below.
"""
import argparse, csv, json, os, resource, subprocess, tempfile, time, warnings

import numpy as np
from sklearn.linear_model import LogisticRegressionCV, RidgeClassifierCV
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")


def synthetic(rows, dim=512, classes=10):
    """Overlapping classes after a ReLU, on scales that differ from feature to feature, as a backbone's do."""
    r = np.random.default_rng(99)
    centre, scale = r.normal(0, 0.12, (classes, dim)), np.exp(r.normal(0, 1, dim))
    y = np.arange(rows) % classes
    return (np.maximum(0, centre[y] + r.normal(0, 1, (rows, dim)) + 0.3) * scale).astype("f4"), y


def split(y, seed, share):
    r, train, test = np.random.default_rng(seed), [], []
    for c in np.unique(y):
        rows = r.permutation(np.flatnonzero(y == c))
        cut = len(rows) // 4
        test.extend(rows[:cut])
        train.extend(rows[cut:][: int(share * (len(rows) - cut))])
    return np.sort(train), np.sort(test)


def write(folder, x, y):
    os.makedirs(folder)
    np.save(os.path.join(folder, "features.npy"), np.ascontiguousarray(x, "f4"))
    np.save(os.path.join(folder, "labels.npy"), y.astype("i8"))


def command(icebox, verb, folder, *words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([icebox, verb, "--features", folder, "--json", "-q", "output.dir=" + folder + "/runs", *words], stdout=subprocess.PIPE, check=True, cwd=folder).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads(out.decode().strip().splitlines()[-1])
    summary["run_dir"] = os.path.join(folder, summary["run_dir"])
    return summary, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_icebox(icebox, x, y, train, test):
    with tempfile.TemporaryDirectory() as d:
        folder = os.path.join(d, "f")
        write(folder, x[train], y[train])
        write(os.path.join(folder, "test"), x[test], y[test])
        s, cpu = command(icebox, "train", folder)
        o = s["tuned"]["options"]
        _, rest = command(icebox, "train", folder, "head.tune=off", "head.optimizer=" + o["optimizer"], f"head.weight_decay={o['weight_decay']}",
                          f"head.epochs={o['epochs']}", f"head.lr={o['lr']}", "head.schedule=" + o["schedule"])
        report = json.load(open(os.path.join(s["run_dir"], "report.json")))
        found = {b["name"]: b["accuracy"] for b in report["baselines"]["found"]}
        return {"icebox": s["test_acc"], **found, "all": cpu, "tune": max(0, cpu - rest), "wall": sum(g["seconds"] for g in s["stages"] if g["name"] == "tune"), "decay": o["weight_decay"]}


def by_sklearn(x, y, train, test):
    scale = StandardScaler().fit(x[train])
    a, b = scale.transform(x[train]), scale.transform(x[test])
    start = time.process_time()
    lr = LogisticRegressionCV(Cs=10, cv=5, use_legacy_attributes=False).fit(a, y[train])
    seconds = time.process_time() - start
    ridge = RidgeClassifierCV(alphas=np.logspace(-2, 5, 15)).fit(a, y[train])
    return {"LRCV": lr.score(b, y[test]), "ridge": ridge.score(b, y[test]), "LRCV s": seconds}


def folded(x, y, folds=5):
    """The rows standardised and class by class, their labels, and a fold of each that has as many of every class."""
    order = np.argsort(y, kind="stable")
    return StandardScaler().fit_transform(x)[order], y[order], np.arange(len(y)) % folds


def kept(folder):
    """Features and labels as `icebox cache export` writes them."""
    return np.load(os.path.join(folder, "features.npy")), np.load(os.path.join(folder, "labels.npy"))


def sweep_by_icebox(icebox, x, y, fold, decays):
    """Seconds of the process by the clock, of its heads alone, and of processors; the mean accuracy of each decay; the choice.

    index.csv names the folds as groups, which stay together, so that each of them is a fold.
    """
    with tempfile.TemporaryDirectory() as d:
        folder = os.path.join(d, "f")
        write(folder, x, y)
        with open(os.path.join(folder, "index.csv"), "w", newline="") as f:
            csv.writer(f).writerows([("row", "path", "label", "split", "group"), *((i, f"{i}.jpg", y[i], "train", fold[i]) for i in range(len(y)))])
        start = time.perf_counter()
        s, cpu = command(icebox, "sweep", folder, "head.optimizer=lbfgs", "head.epochs=1000", "head.input=none", "sweep.metric=val_acc",
                       f"sweep.folds={fold.max() + 1}", "sweep.axes.weight_decay=" + json.dumps(list(decays)))
        seconds = time.perf_counter() - start
        with open(os.path.join(s["run_dir"], "sweep.jsonl")) as f:
            means = {r["values"]["weight_decay"]: r["val_acc"]["mean"] for r in map(json.loads, f)}
        return seconds, s["sweep_seconds"], cpu, [means[d] for d in decays], s["best_values"]["weight_decay"]


def sweep_by_sklearn(x, y, fold, decays, **options):
    """The same of LogisticRegressionCV, whose C is 1/(decay · rows that it learns from): seconds by the clock and of this process."""
    rows = len(y) * fold.max() / (fold.max() + 1)
    parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(fold.max() + 1)]
    start, cpu = time.perf_counter(), time.process_time()
    m = LogisticRegressionCV(Cs=1 / (decays * rows), cv=parts, use_legacy_attributes=False, **options).fit(x, y)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    means = m.scores_.reshape(len(parts), -1).mean(0)
    return seconds, cpu, means, decays[int(np.argmin(abs(np.log(m.C_ * decays * rows))))]


def table(icebox, sets, seeds, shares):
    print("| set | rows | icebox | LRCV | ridge | baseline | short | 2 SE | all s | tune s | wall s | LRCV s | times |\n|" + "---|" * 13, flush=True)
    for name, load in sets:
        x, y = load()
        for share in shares:
            runs = []
            for seed in range(seeds):
                train, test = split(y, seed, share)
                runs.append({**by_icebox(icebox, x, y, train, test), **by_sklearn(x, y, train, test)})
            m = {k: float(np.mean([r[k] for r in runs])) for k in runs[0]}
            own = max((k for k in m if k.startswith("nearest") or k == "ridge regression"), key=m.get)
            best = max(["LRCV", "ridge", own], key=m.get)
            short = 100 * (m[best] - m["icebox"])
            spread = 200 * float(np.std([r[best] - r["icebox"] for r in runs], ddof=1)) / len(runs) ** 0.5 if len(runs) > 1 else float("nan")
            print(f"| {name} | {len(train)} | " + " | ".join(f"{100 * m[k]:.2f}" for k in ["icebox", "LRCV", "ridge", own]) + f" ({own}) | {short:+.2f} | {spread:.2f} | "
                  + " | ".join(f"{m[k]:.2f}" for k in ["all", "tune", "wall", "LRCV s"]) + f" | {m['LRCV s'] / max(m['tune'], 1e-3):.0f} |", flush=True)


def drawn(rows):
    """A set of so many rows to learn from."""
    return f"synthetic-{rows}", lambda: synthetic(rows * 4 // 3)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--icebox", required=True)
    p.add_argument("--features", action="append", default=[])
    p.add_argument("--synthetic", action="append", type=int, default=[])
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--shares", default="1,0.25")
    args = p.parse_args()
    sets = [(os.path.basename(os.path.normpath(d)), lambda d=d: kept(d)) for d in args.features]
    table(os.path.abspath(args.icebox), [*sets, *map(drawn, args.synthetic)], args.seeds, list(map(float, args.shares.split(","))))


if __name__ == "__main__":
    main()
