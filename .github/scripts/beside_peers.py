"""Run icebox beside what a Python user would run, alternately, and print the ratios with their spread.

usage: python beside_peers.py --icebox ./icebox --weights resnet18.pth [--data FOLDER] [--rounds 5]
                              [--only forward,preprocess,decode,extract,head,sklearn] [--threads 1,2] [--batches 1,8,16,32] [--features DIR]…
needs: torch torchvision onnx onnxruntime pillow numpy; openvino and nncf for rows of OpenVINO, scikit-learn for its rows. FOLDER is a folder of class folders of JPEGs, DIR
one of features.npy and labels.npy, as `icebox cache export --split train` writes them.

forward     icebox bench forward       against ONNX Runtime's CPU provider, same threads and batch; and against OpenVINO,
                                       in fp32 and bf16, and icebox's bf16 against its int8
preprocess  icebox bench preprocess    against Pillow + torchvision, and torchvision.io + transforms.v2, one core
decode      all pixels, one core        against Pillow and torchvision.io: the JPEGs of FOLDER as they are, saved again as
                                       progressive JPEG, as PNG and as TIFF (needs go; no --icebox and no --weights)
extract     icebox extract, cold       against PyTorch with a DataLoader, whole processes
head        icebox bench head          against PyTorch loops with Adam on 50,000 × 512 features in memory, all threads: by index
                                       on a tensor, by DataLoader, and 64 heads as one Linear
sklearn     icebox sweep               as a whole process, against LogisticRegressionCV in memory: ten decays × 5 folds on
                                       5,000 × 512 drawn features and on those of each --features folder, the same rows, folds
                                       and penalties. Both go from one decay to the next; scikit-learn stops at a gradient of
                                       1e-4 in float32, which at small decays is far from the optimum, so that some rows of
                                       the drawn features have it in float64 with tol=1e-5. Seconds are by the clock, and of processors, with
                                       OPENBLAS_NUM_THREADS=1 where the machine is busy.
                                       First the table of heads_beside_sklearn.py, on as many drawn rows

A ratio above 1 says that icebox is that many times as fast. Machines are noisy: each round measures both, one after the
other, and the line gives the median of the rounds' ratios with the smallest and the largest.
"""
import argparse, glob, io, json, os, statistics, subprocess, sys, tempfile, time


def icebox(args, *words):
    out = subprocess.run([args.icebox, *words, "--json", "-q"], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out.decode().strip().splitlines()[-1])


def line(name, ours, theirs):
    ratios = sorted(a / b for a, b in zip(ours, theirs))
    print(f"{name:44} {statistics.median(ours):9.1f} {statistics.median(theirs):9.1f}   {statistics.median(ratios):5.2f}  [{ratios[0]:.2f} – {ratios[-1]:.2f}]", flush=True)


def model(args):
    import torch, torchvision
    m = torchvision.models.resnet18()
    m.load_state_dict(torch.load(args.weights, weights_only=True))
    m.fc = torch.nn.Identity()
    return m.eval()


def exported(m, batch, folder):
    import torch
    f = os.path.join(folder, "m.onnx")
    torch.onnx.export(m, torch.randn(batch, 3, 224, 224), f, input_names=["input"], output_names=["features"], dynamo=False)
    return f


def session(file, threads):
    import onnxruntime as ort
    o = ort.SessionOptions()
    o.intra_op_num_threads = threads
    return ort.InferenceSession(file, o, providers=["CPUExecutionProvider"])


def openvino(file, threads, feed):
    """Steps of OpenVINO by name, each with the precision of icebox that it is held against. int8 is calibrated with noise:
    its speed does not depend on what it was calibrated with."""
    try:
        import openvino as ov
    except ImportError:
        print("skipped: OpenVINO is not installed")
        return
    core = ov.Core()
    kinds = [("fp32", "fp32", "f32"), ("bf16", "bf16", "bf16"), ("int8", "bf16", "f32")]
    for name, ours, hint in kinds:
        net = core.read_model(file)
        if name == "int8":
            try:
                import nncf
            except ImportError:
                print("skipped: nncf, which makes int8, is not installed")
                continue
            net = nncf.quantize(net, nncf.Dataset([feed] * 8), subset_size=8)
        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": hint}
        request = core.compile_model(net, "CPU", options).create_infer_request()
        yield f"OpenVINO {name}", ours, lambda request=request: request.infer([feed])


def rate(step, images, seconds):
    step()
    n, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        n += images
    return n / (time.perf_counter() - start)


def forward(args):
    import numpy as np
    m = model(args)
    for threads in args.threads:
        for batch in args.batches:
            feed = np.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=np.float32)
            with tempfile.TemporaryDirectory() as d:
                file = exported(m, batch, d)
                s = session(file, threads)
                peers = [("ONNX Runtime", "fp32", lambda: s.run(None, {"input": feed})), *openvino(file, threads, feed)]
                for name, precision, step in peers:
                    beside(args, threads, batch, name, precision, step)


def beside(args, threads, batch, name, precision, step):
    """One line: icebox in a precision, and a peer's step."""
    words = ["bench", "forward", "--threads", str(threads), "--batch", str(batch), "--seconds", "2", "--weights", args.weights, "--precision", precision]
    ours, theirs = [], []
    for _ in range(args.rounds):
        try:
            ours.append(icebox(args, *words)["images_per_s"])
        except subprocess.CalledProcessError:
            print(f"skipped: {name}, since icebox does not run {precision} here")
            return
        theirs.append(rate(step, batch, 2))
    line(f"{precision}, {threads} threads, batch {batch} / {name}", ours, theirs)


def preprocess(args):
    import torch
    from PIL import Image
    from torchvision import transforms as T
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms import v2
    torch.set_num_threads(1)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    old = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize(mean, std)])
    new = v2.Compose([v2.Resize(256, antialias=True), v2.CenterCrop(224), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])
    names = sorted(f for f in glob.glob(os.path.join(args.data, "**", "*"), recursive=True) if f.lower().endswith((".jpg", ".jpeg")))[:200]
    blobs = [open(f, "rb").read() for f in names]
    ways = {
        "Pillow + torchvision": lambda b: old(Image.open(io.BytesIO(b)).convert("RGB")),
        "torchvision.io + v2": lambda b: new(decode_image(torch.frombuffer(bytearray(b), dtype=torch.uint8), ImageReadMode.RGB)),
    }
    with tempfile.TemporaryDirectory() as d:  # the same images for both
        for i, b in enumerate(blobs):
            open(os.path.join(d, f"{i:04}.jpg"), "wb").write(b)
        for name, way in ways.items():
            ours, theirs = [], []
            for _ in range(args.rounds):
                ours.append(icebox(args, "bench", "preprocess", "--threads", "1", "--batch", str(len(blobs)), "--seconds", "2", "--data", d)["images_per_s"])
                theirs.append(rate(lambda: [way(b) for b in blobs], len(blobs), 2))
            line(f"preprocess, one core / {name}", ours, theirs)


def decode(args):
    import torch
    from PIL import Image
    from torchvision.io import ImageReadMode, decode_image
    torch.set_num_threads(1)
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    names = sorted(f for f in glob.glob(os.path.join(args.data, "**", "*"), recursive=True) if f.lower().endswith((".jpg", ".jpeg")))[:100]
    with tempfile.TemporaryDirectory() as d:
        program = os.path.join(d, "imaging.test")
        subprocess.run(["go", "test", "-c", "-o", program, "./extract/internal/imaging"], cwd=root, check=True)
        kinds = {"JPEG as it is": None, "progressive JPEG": ("JPEG", dict(quality=90, progressive=True)), "PNG": ("PNG", {})}
        kinds |= {f"TIFF, {c}": ("TIFF", dict(compression=c)) for c in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg")}
        for kind, options in kinds.items():
            folder, blobs = os.path.join(d, kind), []
            os.mkdir(folder)
            for i, name in enumerate(names):
                out = io.BytesIO()
                if options:
                    Image.open(name).convert("RGB").save(out, options[0], **options[1])
                else:
                    out.write(open(name, "rb").read())
                open(os.path.join(folder, f"{i:04}"), "wb").write(out.getvalue())
                blobs.append(out.getvalue())

            def ours_rate():
                out = subprocess.run([program, "-test.run", "^$", "-test.bench", "Photos", "-test.benchtime", "2s", "-test.cpu", "1"],
                                     env={**os.environ, "ICEBOX_BENCH_PHOTOS": folder}, stdout=subprocess.PIPE, check=True).stdout.decode().split()
                return float(out[out.index("images/s") - 1])

            ways = {
                "Pillow": lambda b: Image.open(io.BytesIO(b)).convert("RGB").load(),
                "torchvision.io": lambda b: decode_image(torch.frombuffer(bytearray(b), dtype=torch.uint8), ImageReadMode.RGB),
            }
            if kind.startswith("TIFF"):
                del ways["torchvision.io"]  # which reads none
            for name, way in ways.items():
                ours, theirs = [], []
                for _ in range(args.rounds):
                    ours.append(ours_rate())
                    theirs.append(rate(lambda: [way(b) for b in blobs], len(blobs), 2))
                line(f"decode, {kind} / {name}", ours, theirs)


LOADER = """
import sys, torch, torchvision
from torchvision import transforms as T
folder, weights, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
m = torchvision.models.resnet18(); m.load_state_dict(torch.load(weights, weights_only=True)); m.fc = torch.nn.Identity()
m = m.eval().to(memory_format=torch.channels_last)
ds = torchvision.datasets.ImageFolder(folder, T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
with torch.inference_mode():
    rows = [m(x.to(memory_format=torch.channels_last)) for x, _ in torch.utils.data.DataLoader(ds, batch_size=64, num_workers=workers)]
torch.save(torch.cat(rows), sys.argv[4]); print(len(ds))
"""


def extract(args):
    ours, theirs = [], []
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as d:
            start = time.perf_counter()
            n = icebox(args, "extract", "--data", args.data, "--weights", args.weights, "--cache", os.path.join(d, "f.db"))["images"]
            ours.append(n / (time.perf_counter() - start))
            start = time.perf_counter()
            out = subprocess.run([sys.executable, "-c", LOADER, args.data, args.weights, str(os.cpu_count()), os.path.join(d, "f.pt")], stdout=subprocess.PIPE, check=True).stdout
            theirs.append(int(out) / (time.perf_counter() - start))
    line("folder to features, whole process / DataLoader", ours, theirs)


def numbers(text):
    return [int(n) for n in text.split(",")]


def features(k):
    import numpy as np, torch
    r = np.random.default_rng(0)
    y = r.integers(0, k, 50_000)
    c = r.standard_normal((k, 512)).astype(np.float32) * 0.12
    return torch.from_numpy(np.maximum(c[y] + r.standard_normal((50_000, 512), dtype=np.float32), 0)), torch.from_numpy(y)


def tensor_epoch(X, Y, batch, m, opt, loss):
    import torch
    order = torch.randperm(len(X))
    for i in range(0, len(X), batch):
        b = order[i : i + batch]
        opt.zero_grad()
        loss(m(X[b]), Y[b]).backward()
        opt.step()


def loader_epoch(X, Y, batch, m, opt, loss):
    import torch
    for xb, yb in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=batch, shuffle=True):
        opt.zero_grad()
        loss(m(xb), yb).backward()
        opt.step()


def stacked_epoch(X, Y, batch, heads):
    """One epoch of some heads as one matrix, Adam written out, a rate a head."""
    import torch
    k, d = 10, X.shape[1]
    W, B = (torch.rand(heads * k, d) * 2 - 1) / d**0.5, torch.zeros(heads * k)
    rates = torch.logspace(-4, -2, heads).repeat_interleave(k)
    state = [(W, torch.zeros_like(W), torch.zeros_like(W), rates[:, None]), (B, torch.zeros_like(B), torch.zeros_like(B), rates)]
    order = torch.randperm(len(X))
    for step, i in enumerate(range(0, len(X), batch), 1):
        b = order[i : i + batch]
        xb, yb = X[b], Y[b]
        g = torch.softmax(torch.addmm(B, xb, W.t()).view(-1, heads, k), 2)
        g[torch.arange(len(b)), :, yb] -= 1
        g = g.view(len(b), -1) / len(b)
        for (P, m, v, rate), G in zip(state, (g.t() @ xb, g.sum(0))):
            m.mul_(0.9).add_(G, alpha=0.1)
            v.mul_(0.999).addcmul_(G, G, value=0.001)
            P.sub_(rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8))


def head(args):
    import torch
    torch.set_num_threads(os.cpu_count())
    for k in (10, 2, 100, 1000):
        X, Y = features(k)
        for heads, batch, name, loops, epoch in ways(torch, X, Y, k):
            ours, theirs, peak = [], [], []
            for _ in range(args.rounds):
                r = icebox(args, "bench", "head", "--heads", str(heads), "--classes", str(k), "--batch", str(batch))
                ours.append(1 / r["epoch_seconds"])
                theirs.append(rate(epoch, 1, 0.5) / loops)
                peak.append(100 * r["gflops"] / r["peak_gflops"])
            what = f"{heads} heads, " if heads > 1 else ""
            line(f"{what}{k} classes, batch {batch} / {name}", ours, theirs)
            print(f"{'':44} {statistics.median(peak):7.0f} % of the FMA peak", flush=True)


def ways(torch, X, Y, k):
    """Heads, batch, what of PyTorch's to compare with, how many of its epochs make one of ours, and one of its epochs."""
    m = torch.nn.Linear(512, k)
    adam = lambda: (m, torch.optim.Adam(m.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss())
    loop = lambda b: lambda: tensor_epoch(X, Y, b, *adam())
    if k != 10:
        return [(1, 256, "tensor loop", 1, loop(256))]
    return [
        *((1, b, "tensor loop", 1, loop(b)) for b in (64, 256, 1024, 4096)),
        (1, 256, "DataLoader", 1, lambda: loader_epoch(X, Y, 256, *adam())),
        *((64, b, "64 heads in one Linear", 1, lambda b=b: stacked_epoch(X, Y, b, 64)) for b in (256, 1024)),
        (64, 256, "64 tensor loops", 64, loop(256)),
    ]


def sklearn(args):
    try:
        import heads_beside_sklearn as heads, numpy as np
    except ImportError as missing:
        print(f"skipped: scikit-learn: {missing}")
        return
    program, rows = os.path.abspath(args.icebox), 5000
    heads.table(program, [heads.drawn(rows)], args.rounds, [1])
    for name, load in [("drawn", lambda: heads.synthetic(rows)), *((os.path.basename(os.path.normpath(d)), lambda d=d: heads.kept(d)) for d in args.features)]:
        sweeps(program, args.rounds, name, *heads.folded(*load()))


def sweeps(program, rounds, name, x, y, fold):
    import heads_beside_sklearn as heads, numpy as np
    decays = 1 / (np.logspace(-4, 4, 10) * len(y) * 4 / 5)  # those of LogisticRegressionCV's own Cs, in its order
    cores = os.cpu_count()
    peers = {"LogisticRegressionCV": (x, {}), f"n_jobs={cores}": (x, {"n_jobs": cores})}
    if name == "drawn":  # others take minutes
        precise = {"tol": 1e-5, "max_iter": 1000}
        peers |= {"one job, as precise": (x.astype("f8"), precise), f"n_jobs={cores}, as precise": (x.astype("f8"), {"n_jobs": cores, **precise})}
    some = np.arange(0, len(y), 10)
    heads.sweep_by_sklearn(x[some], y[some], np.arange(len(some)) % 5, decays, n_jobs=cores)  # starts its processes
    for peer, (theirs_x, options) in peers.items():
        rates = {"whole": ([], []), "heads alone": ([], []), "of processors": ([], [])}
        for _ in range(rounds):
            *ours, means, chosen = heads.sweep_by_icebox(program, x, y, fold, decays)
            seconds, cpu, their_means, their_choice = heads.sweep_by_sklearn(theirs_x, y, fold, decays, **options)
            for (a, b), own, other in zip(rates.values(), ours, (seconds, seconds, cpu)):
                a.append(50 / own)
                b.append(50 / other)
        if "n_jobs" in options:
            del rates["of processors"]  # its other processes are not counted
        for what, pair in rates.items():
            line(f"sweep, {name}, {what} / {peer}", *pair)
        same = "the same" if chosen == their_choice else "not"
        differ = " ".join(f"{100 * d:.2f}" for d in np.subtract(means, their_means))
        print(f"{'':6}decay {chosen:.3g}, theirs {their_choice:.3g} ({same}); mean accuracies, by falling decay, differ by {differ} points", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--icebox", default="./icebox")
    p.add_argument("--weights", help="needed but for decode and preprocess")
    p.add_argument("--data")
    p.add_argument("--features", action="append", default=[], help="of sklearn")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=numbers, default=sorted({1, os.cpu_count()}), help="of forward, such as 1,2")
    p.add_argument("--batches", type=numbers, default=[1, 8, 16, 32], help="of forward")
    p.add_argument("--only", default="forward,preprocess,decode,extract,head,sklearn")
    args = p.parse_args()
    print(f"{'':44} {'icebox':>9} {'peer':>9}   ratio  (images, epochs or heads a second)")
    for name in args.only.split(","):
        if name in ("forward", "head", "sklearn") or args.data:
            {"forward": forward, "preprocess": preprocess, "decode": decode, "extract": extract, "head": head, "sklearn": sklearn}[name](args)


if __name__ == "__main__":
    main()
