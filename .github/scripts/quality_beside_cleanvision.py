"""Judge pictures with icebox and with CleanVision, and print a table of where they agree.

usage: python quality_beside_cleanvision.py --icebox ./icebox --images DIR… [--every 1] [--degrade]
needs: cleanvision

DIR is a folder of JPEGs, at any depth. --every N takes each N-th of them. Few pictures of a good dataset have an issue:
--degrade judges copies of them that were darkened, brightened, blurred, flattened, made grey or cut into strips, each by an
amount drawn at random (seed 5), from one that nobody sees to one that nobody misses.

For each issue the table has the images that both find, those that only icebox or only CleanVision finds, and the share of all
images that they agree on. icebox runs with random weights: quality does not depend on them.
"""
import argparse, contextlib, csv, glob, math, os, random, shutil, subprocess, sys, tempfile

from cleanvision import Imagelab
from PIL import Image, ImageFilter

ISSUES = ["dark", "light", "blurry", "low_information", "odd_size", "odd_aspect_ratio", "grayscale"]


def jpegs(folder, every):
    found = sorted(f for f in glob.glob(os.path.join(folder, "**", "*"), recursive=True) if f.lower().endswith((".jpg", ".jpeg")))
    return found[::every]


def degraded(files, to):
    r = random.Random(5)
    for n, f in enumerate(files):
        im = Image.open(f).convert("RGB")

        def save(kind, picture, end="jpg"):
            os.makedirs(os.path.join(to, kind), exist_ok=True)
            picture.save(os.path.join(to, kind, f"{n:05d}.{end}"), quality=95)

        save("dark", im.point(lambda v, a=r.uniform(0.15, 0.6): int(v * a)))
        save("light", im.point(lambda v, a=r.uniform(0.02, 0.3): int(255 - (255 - v) * a)))
        save("blurred", im.filter(ImageFilter.GaussianBlur(max(im.size) * math.exp(r.uniform(math.log(0.003), math.log(0.06))))))
        save("flat", im.point(lambda v, a=r.uniform(0, 0.12): int(128 + (v - 128) * a)))
        if n % 4 == 0:
            save("grey", im.convert("L"))
        if n % 4 == 1:
            save("strip", im.crop((0, 0, max(1, int(im.width * r.uniform(0.15, 0.6))), im.height)))


def copied(files, to):
    for n, f in enumerate(files):
        folder = os.path.join(to, f"class{n % 2}")  # a head needs two classes
        os.makedirs(folder, exist_ok=True)
        shutil.copy(f, os.path.join(folder, f"{n:05d}.jpg"))


def by_icebox(icebox, images, scratch):
    words = ["-q", "cache.path=" + os.path.join(scratch, "f.db"), "output.dir=" + os.path.join(scratch, "runs")]
    subprocess.run([icebox, "run", "--data", images, "--weights", "random:1", "head.epochs=1", "head.tune=off", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = glob.glob(os.path.join(scratch, "runs", "*", "report.json"))[0]
    subprocess.run([icebox, "insight", "--run", os.path.dirname(run), *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {issue: set() for issue in ISSUES}
    with open(os.path.join(os.path.dirname(run), "quality.csv"), newline="") as f:
        for line in csv.DictReader(f):
            found[line["issue"]].add(line["path"])
    return found


def by_cleanvision(images):
    with contextlib.redirect_stdout(sys.stderr):
        lab = Imagelab(data_path=images)
        lab.find_issues({issue: {} for issue in ISSUES}, n_jobs=1, verbose=False)
    names = [os.path.relpath(p, os.path.abspath(images)) for p in map(os.path.abspath, lab.issues.index)]
    return {issue: {n for n, bad in zip(names, lab.issues[f"is_{issue}_issue"]) if bad} for issue in ISSUES}, len(names)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--icebox", required=True)
    p.add_argument("--images", action="append", required=True)
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--degrade", action="store_true")
    args = p.parse_args()
    args.icebox = os.path.abspath(args.icebox)
    print("| images | of | issue | both | icebox | CleanVision | agree |\n|---|---|---|---|---|---|---|")
    for folder in args.images:
        with tempfile.TemporaryDirectory() as scratch:
            images = os.path.join(scratch, "images")
            (degraded if args.degrade else copied)(jpegs(folder, args.every), images)
            ours = by_icebox(args.icebox, images, scratch)
            theirs, total = by_cleanvision(images)
        name = os.path.basename(os.path.normpath(folder)) + (", degraded" if args.degrade else "")
        for issue in ISSUES:
            a, b = ours[issue], theirs[issue]
            print(f"| {name} | {total} | {issue} | {len(a & b)} | {len(a - b)} | {len(b - a)} | {100 * (1 - len(a ^ b) / total):.2f} % |")


if __name__ == "__main__":
    main()
