"""Compare icebox's features with those of another program, image by image.

usage: python compare.py EXPORT FEATURES.npy PATHS.txt
EXPORT is the folder that `icebox cache export --out EXPORT` wrote; FEATURES.npy (N, 512) and PATHS.txt (a path a
row, relative to the folder of images) come from the other program. Prints the distribution of 1 - cosine and of the
largest absolute difference, and ends with 1 if an image misses cosine >= 0.9999 or max-abs <= 2e-2.
"""
import csv, sys
import numpy as np

export, features, paths = sys.argv[1:4]
ours = np.load(export + "/features.npy")
row = {line["path"]: int(line["row"]) for line in csv.DictReader(open(export + "/index.csv", newline=""))}
theirs = np.load(features)
names = [line.rstrip("\n") for line in open(paths)]
assert len(names) == len(theirs)
absent = [n for n in names if n not in row]
a = np.array([ours[row[n]] for n in names if n in row], np.float64)
b = np.array([theirs[i] for i, n in enumerate(names) if n in row], np.float64)
cos = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
diff = np.abs(a - b).max(1)
for name, v in ("1 - cosine", 1 - cos), ("max-abs", diff):
    q = np.quantile(v, [0, 0.5, 0.9, 0.99, 1])
    print(f"{name:10}  min {q[0]:.2e}  median {q[1]:.2e}  90 % {q[2]:.2e}  99 % {q[3]:.2e}  max {q[4]:.2e}")
print(f"{len(a)} images compared, {len(absent)} of theirs absent here; largest feature {np.abs(b).max():.2f}")
sys.exit(0 if (cos >= 0.9999).all() and (diff <= 2e-2).all() and len(a) else 1)
