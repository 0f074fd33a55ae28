"""Run icebox on a GPU beside PyTorch on the same GPU, alternately, and print the ratios with their spread.

usage: python beside_peers_gpu.py --icebox ./icebox --weights resnet18.pth [--data FOLDER] [--rounds 3] [--batches 1,8,32,128,512]
                                  [--precisions fp32,tf32,fp16] [--no-compile] [--peak-tflops 989] [--only agree,forward,extract]
needs: torch and torchvision with CUDA. FOLDER is a folder of class folders of JPEGs. Without weights at hand, any will do for
speed: icebox weights convert, or torchvision's own.

agree    the features of --data: cosine of icebox's, in each precision, to PyTorch's in fp32 on the CPU's crops
forward  icebox bench forward: 8-bit pixels in host memory to features in host memory, against PyTorch, channels_last:
           resident  input normalised and on the GPU before, output left there: PyTorch's best case
           from host 8-bit pixels copied from pinned memory, normalised there, features copied back: the same work
         each eager, and compiled (mode max-autotune, which uses CUDA graphs); fp16 is the model in half precision
extract  icebox extract of a cold folder against a DataLoader with all workers, pinned memory and fp16, whole processes

A ratio above 1 says that icebox is that many times as fast. Each round measures both, one after the other; a line gives the
median of the rounds' ratios with the smallest and the largest.
"""
import argparse, csv, json, os, statistics, subprocess, sys, tempfile, time

FLOPS = 3.628e9  # of a ResNet-18 up to the pool, at 224 × 224: twice the multiplications


def icebox(args, *words, **env):
    out = subprocess.run([args.icebox, *words, "--json", "-q"], stdout=subprocess.PIPE, check=True, env={**os.environ, **env}).stdout
    return json.loads(out.decode().strip().splitlines()[-1])


def line(name, ours, theirs, peak=None):
    ratios = sorted(a / b for a, b in zip(ours, theirs))
    share = f"   {100 * statistics.median(ours) * FLOPS / peak / 1e12:4.1f} % of peak" if peak else ""
    print(f"{name:52} {statistics.median(ours):10.1f} {statistics.median(theirs):10.1f}   {statistics.median(ratios):5.2f}  [{ratios[0]:.2f} – {ratios[-1]:.2f}]{share}", flush=True)


def model(args, precision):
    import torch, torchvision
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    m = torchvision.models.resnet18()
    m.load_state_dict(torch.load(args.weights, weights_only=True))
    m.fc = torch.nn.Identity()
    m = m.eval().cuda().to(memory_format=torch.channels_last)
    return m.half() if precision == "fp16" else m


def rate(step, images, seconds=2.0):
    import torch
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    n, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(8):
            step()
        torch.cuda.synchronize()
        n += 8 * images
    return n / (time.perf_counter() - start)


def ways(args, precision, batch):
    """Yields (name, step) for each way PyTorch does it."""
    import torch
    m = model(args, precision)
    dtype = torch.float16 if precision == "fp16" else torch.float32
    resident = torch.randn(batch, 3, 224, 224, device="cuda", dtype=dtype).to(memory_format=torch.channels_last)
    host = torch.randint(0, 256, (batch, 224, 224, 3), dtype=torch.uint8).pin_memory()
    out = torch.empty(batch, 512, dtype=dtype).pin_memory()
    mean = torch.tensor([0.485, 0.456, 0.406], device="cuda", dtype=torch.float32).view(1, 3, 1, 1) * 255
    std = torch.tensor([0.229, 0.224, 0.225], device="cuda", dtype=torch.float32).view(1, 3, 1, 1) * 255

    def normalised(x):
        return m(((x.permute(0, 3, 1, 2).float() - mean) / std).to(dtype))

    def steps(kind, net, whole):
        def on_gpu():
            with torch.inference_mode():
                net(resident)

        def from_host():
            with torch.inference_mode():
                out.copy_(whole(host.to("cuda", non_blocking=True)), non_blocking=True)
        yield f"{kind}, resident", on_gpu
        yield f"{kind}, from host", from_host
    yield from steps("eager", m, normalised)
    if not args.no_compile:
        torch._dynamo.reset()
        yield from steps("compiled", torch.compile(m, mode="max-autotune"), torch.compile(normalised, mode="max-autotune"))


def forward(args):
    for precision in args.precisions.split(","):
        for batch in map(int, args.batches.split(",")):
            for name, step in ways(args, precision, batch):
                ours, theirs = [], []
                for _ in range(args.rounds):
                    ours.append(icebox(args, "bench", "forward", "--device", "cuda:0", "--precision", precision, "--batch", str(batch), "--seconds", "2", "--weights", args.weights)["images_per_s"])
                    theirs.append(rate(step, batch))
                line(f"forward {precision}, batch {batch} / {name}", ours, theirs, args.peak_tflops)


def agree(args):
    import numpy as np, torch, torchvision
    from torchvision import transforms as T
    m = torchvision.models.resnet18()
    m.load_state_dict(torch.load(args.weights, weights_only=True))
    m.fc = torch.nn.Identity()
    m.eval()
    pre = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    for precision in args.precisions.split(","):
        with tempfile.TemporaryDirectory() as d:
            cache, out = os.path.join(d, "f.db"), os.path.join(d, "out")
            icebox(args, "extract", "--data", args.data, "--weights", args.weights, "--cache", cache, "backbone.device=cuda", "backbone.precision=" + precision, "extract.exif=false")
            subprocess.run([args.icebox, "cache", "export", "--cache", cache, "--out", out, "-q"], check=True)
            rows = np.load(os.path.join(out, "features.npy"))
            with open(os.path.join(out, "index.csv"), newline="") as f:
                names = [row["path"] for row in csv.DictReader(f)]
        worst = 1.0
        with torch.inference_mode():
            for row, name in list(zip(rows, names))[:200]:
                image = torchvision.datasets.folder.default_loader(name if os.path.isabs(name) else os.path.join(args.data, name))
                want = m(pre(image)[None])[0].numpy()
                worst = min(worst, float(row @ want / np.linalg.norm(row) / np.linalg.norm(want)))
        print(f"{'agree ' + precision:52} worst cosine of {min(200, len(rows))} images, decoders' differences included: {worst:.6f}", flush=True)


LOADER = """
import sys, torch, torchvision
from torchvision import transforms as T
folder, weights, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
m = torchvision.models.resnet18(); m.load_state_dict(torch.load(weights, weights_only=True)); m.fc = torch.nn.Identity()
m = m.eval().half().cuda().to(memory_format=torch.channels_last)
ds = torchvision.datasets.ImageFolder(folder, T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
with torch.inference_mode():
    rows = [m(x.cuda(non_blocking=True).half().to(memory_format=torch.channels_last)).float().cpu()
            for x, _ in torch.utils.data.DataLoader(ds, batch_size=256, num_workers=workers, pin_memory=True)]
torch.save(torch.cat(rows), sys.argv[4]); print(len(ds))
"""


def extract(args):
    ours, theirs, last = [], [], None
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as d:
            start = time.perf_counter()
            last = icebox(args, "extract", "--data", args.data, "--weights", args.weights, "--cache", os.path.join(d, "f.db"), "backbone.device=cuda", "backbone.precision=fp16")
            ours.append(last["images"] / (time.perf_counter() - start))
            start = time.perf_counter()
            out = subprocess.run([sys.executable, "-c", LOADER, args.data, args.weights, str(os.cpu_count()), os.path.join(d, "f.pt")], stdout=subprocess.PIPE, check=True).stdout
            theirs.append(int(out) / (time.perf_counter() - start))
    line("folder to features fp16, whole process / DataLoader", ours, theirs)
    print("where icebox's time went:", json.dumps(last.get("work", last), indent=None))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--icebox", default="./icebox")
    p.add_argument("--weights", required=True)
    p.add_argument("--data")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batches", default="1,8,32,128,512")
    p.add_argument("--precisions", default="fp32,tf32,fp16")
    p.add_argument("--no-compile", action="store_true")
    p.add_argument("--peak-tflops", type=float)
    p.add_argument("--only", default="agree,forward,extract")
    args = p.parse_args()
    import torch
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, {os.cpu_count()} CPUs; {icebox(args, 'doctor')['gpu']}")
    print(f"{'':52} {'icebox':>10} {'peer':>10}   ratio  (images/s)")
    for name in args.only.split(","):
        if name == "forward" or args.data:
            {"agree": agree, "forward": forward, "extract": extract}[name](args)


if __name__ == "__main__":
    main()
