"""Hold HEAD beside the last release: nothing that was fast may get slower.

usage: python beside_release.py [--rounds 7] [--seconds 0.5] [--old COMMIT]
       python beside_release.py --self-test
needs: go, git and the last tag (a deep clone).

The tests of the last tag (the commit in .github/api-base where there is no tag yet) and of HEAD are built in a scratch
folder. Each round runs every benchmark below with the old program and then with the new one. The table has the median
of the rounds, and how far the slowest round lies above the fastest.

The rule: a benchmark is slower where the new median is above 1.10 times the old one and every new round is slower than
every old round. One noisy round of either side lets it pass, so that a failure means something. The exit status is then 1.
"""

import argparse, os, pathlib, re, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 1.10

# What is measured: a name for people, the package, and the benchmark of it. ISA is one of the instruction sets that a machine may have.
ISA = "^(avx2|avx512|neon)$"
BENCHMARKS = [
    ("forward, batch 1", "extract/internal/resnet", f"^BenchmarkForward$/{ISA}/^fp32$/^batch=1$"),
    ("forward, batch 16", "extract/internal/resnet", f"^BenchmarkForward$/{ISA}/^fp32$/^batch=16$"),
    ("decode a JPEG", "extract/internal/jpeg", f"^BenchmarkDecode$/{ISA}/^.0,0.-.500,375.$"),
    ("decode a progressive JPEG, crop", "extract/internal/imaging", "^BenchmarkCrop$/^progressive.jpg$"),
    ("resize", "extract/internal/imaging", f"^BenchmarkResize$/^500x375$/{ISA}"),
    ("epoch of one head", "headtrain", "^BenchmarkEpoch$/^heads=1$/^k=10$/^batch=256$/^threads=2$"),
    ("epoch of 64 heads", "headtrain", "^BenchmarkEpoch$/^heads=64$/^k=10$/^batch=256$/^threads=2$"),
    ("open a cache", "cache", "^BenchmarkOpen$/^50000$"),
    ("read a cache", "cache", "^BenchmarkLookup$/^float32$/^ordered$"),
    ("read a cache, shuffled", "cache", "^BenchmarkLookup$/^float32$/^shuffled$"),
]


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def last_release():
    found = subprocess.run(["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return found.stdout.strip() or (ROOT / ".github/api-base").read_text().strip()


def build(commit, folder):
    """Unpack a commit into a folder, and build the tests of the packages that it has."""
    folder.mkdir()
    archive = subprocess.Popen(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-xf", "-", "-C", folder], stdin=archive.stdout, check=True)
    if archive.wait():
        sys.exit(f"commit {commit} cannot be read: fetch it, or name another with --old")
    for package in sorted({package for _, package, _ in BENCHMARKS}):
        if (folder / package).is_dir():
            subprocess.run(["go", "test", "-c", "-o", "release.test", "."], cwd=folder / package, check=True)


def measure(folder, name, package, pattern, seconds):
    """Nanoseconds of what a pattern finds, by name and instruction set. A program without that benchmark says nothing."""
    program = folder / package / "release.test"
    if not program.exists():
        return {}
    words = [program, "-test.run", "^$", "-test.bench", pattern, "-test.benchtime", f"{seconds}s", "-test.timeout", "20m"]
    run = subprocess.run(words, cwd=program.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        sys.exit(f"{run.stdout}\n{package}: {pattern} failed in {folder.name}")
    return parse(name, run.stdout)


def parse(name, text):
    found = {}
    for words in map(str.split, text.splitlines()):
        if len(words) > 3 and words[0].startswith("Benchmark") and words[3] == "ns/op":
            isa = re.search("/(avx2|avx512|neon)\\b", words[0])
            found[name + (", " + isa[1] if isa else "")] = float(words[2])
    return found


def slower(old, new):
    return statistics.median(new) > LIMIT * statistics.median(old) and min(new) > max(old)


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def row(name, old, new):
    a, b = statistics.median(old), statistics.median(new)
    cells = [name, duration(a), duration(b), f"{b / a:.2f}", *(f"{100 * (max(t) / min(t) - 1):.0f} %" for t in (old, new))]
    return cells + ["SLOWER" if slower(old, new) else ""]


def report(old, new):
    """The lines of a table of 80 columns, those of the same table in Markdown, and what is slower."""
    rows = [["benchmark", "old", "new", "ratio", "spread", "new's", ""]] + [row(n, old[n], new[n]) for n in new if n in old]
    notes = [f"left out: {n}, which {'HEAD' if n in old else 'the release'} does not have" for n in [*new, *old] if (n in old) != (n in new)]
    plain = ["{:34}{:>8} {:>8} {:>6}{:>7}{:>7} {}".format(*r).rstrip() for r in rows] + notes
    marked = ["| " + " | ".join(r) + " |" for r in rows]
    return plain, [marked[0], "|" + "---|" * len(rows[0]), *marked[1:], "", *notes], [r[0] for r in rows if r[-1] == "SLOWER"]


def finish(title, old, new):
    plain, marked, bad = report(old, new)
    print(title, *plain, sep="\n")
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as f:
            print(title, "", *marked, sep="\n", file=f)
    if bad:
        print(f"slower than {LIMIT:.2f} times the release, in every round: {'; '.join(bad)}")
    return bad


def self_test():
    """The rule on made-up rounds of 100 ns and some."""
    steady = [100, 101, 104]
    cases = [("slower", [115, 116, 120], True), ("a little slower", [106, 107, 108], False), ("one round is as fast", [104, 116, 120], False),
             ("median below the limit", [105, 110, 140], False), ("faster", [50, 51, 52], False), ("the same", steady, False)]
    for name, new, want in cases:
        plain, marked, bad = report({name: steady, "gone": steady}, {name: new, "fresh": new})
        if bool(bad) != want or len(plain) != 4 or len(marked) != 6 or max(map(len, plain)) > 80:
            sys.exit(f"{name}: {new} beside {steady} gave {bad}, not {want}\n" + "\n".join(plain))
    lines = "goos: linux\nBenchmarkForward/avx512/fp32/batch=1-2   \t 52\t  22500000 ns/op\t 44.4 images/s\nBenchmarkOpen/5-2 9 1.5 ns/op\nPASS\n"
    if (got := parse("x", lines)) != {"x, avx512": 22.5e6, "x": 1.5}:
        sys.exit(f"the output of a benchmark was read as {got}")
    print("the rule holds on made-up rounds")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=7, help="at least 5, or chance decides")
    p.add_argument("--seconds", type=float, default=0.5, help="of each benchmark in each round")
    p.add_argument("--old", help="the commit to compare with")
    p.add_argument("--self-test", action="store_true")
    args = p.parse_args()
    if args.self_test:
        return self_test()
    release = args.old or last_release()
    old, new, found = {}, {}, set()
    with tempfile.TemporaryDirectory() as d:
        sides = (pathlib.Path(d, "release"), release, old), (pathlib.Path(d, "head"), "HEAD", new)
        for folder, commit, _ in sides:
            build(commit, folder)
        for _ in range(args.rounds):
            for benchmark in BENCHMARKS:
                for folder, _, times in sides:
                    for name, ns in measure(folder, *benchmark, args.seconds).items():
                        times.setdefault(name, []).append(ns)
                        found.add(benchmark)
    if lost := [b[2] for b in BENCHMARKS if b not in found]:
        sys.exit(f"neither side has a benchmark called {' or '.join(lost)}")
    if finish(f"{git('rev-parse', '--short', 'HEAD')} beside {release[:12]}, {args.rounds} rounds, median time of an operation", old, new):
        sys.exit(1)


if __name__ == "__main__":
    main()
