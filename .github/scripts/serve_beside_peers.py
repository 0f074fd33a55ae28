"""icebox serve beside FastAPI with PyTorch and with ONNX Runtime: JPEG in, label out.

usage: python serve_beside_peers.py --icebox BINARY --run RUN --weights resnet18.pth --images DIR [--seconds 8] [--rounds 3]

Each server has the same weights, a linear layer of the run's size behind them, Pillow and
torchvision's preprocessing (icebox: its own), all cores, and batches what comes within 2 ms, up
to 16 images. The load is `icebox bench serve`. Servers run in turn, several rounds of all; the
median of the rounds is printed, with p50 and p99 at half of the load that the server can take,
and the memory that its processes hold.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile, textwrap, time, urllib.request

PEER = textwrap.dedent('''
    import asyncio, io, os, queue, sys, threading, time
    import numpy as np, torch, torchvision, uvicorn
    from PIL import Image
    from fastapi import FastAPI, Request
    from torchvision import transforms as T
    kind, weights, classes, port, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), os.cpu_count()
    torch.set_num_threads(threads)
    model = torchvision.models.resnet18()
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.fc = torch.nn.Linear(512, classes)
    model.eval()
    if kind == "onnxruntime":
        import onnxruntime as ort
        path = sys.argv[5]
        if not os.path.exists(path):
            torch.onnx.export(model, torch.zeros(1, 3, 224, 224), path, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False)
        o = ort.SessionOptions()
        o.intra_op_num_threads = threads
        session = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
        run = lambda x: session.run(None, {"x": x.numpy()})[0]
    else:
        model = model.to(memory_format=torch.channels_last)
        run = lambda x: model(x.to(memory_format=torch.channels_last)).numpy()
    prepare = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize([.485, .456, .406], [.229, .224, .225])])
    waiting = queue.Queue()

    @torch.inference_mode()
    def work():
        while True:
            jobs = [waiting.get()]

            end = time.perf_counter() + .002
            while len(jobs) < 16:
                try:
                    jobs.append(waiting.get(timeout=max(0, end - time.perf_counter())))
                except queue.Empty:
                    break
            y = run(torch.stack([x for x, _, _ in jobs]))
            for (_, loop, future), row in zip(jobs, y):
                loop.call_soon_threadsafe(future.set_result, row)

    threading.Thread(target=work, daemon=True).start()
    app = FastAPI()

    @app.post("/")
    async def classify(request: Request):
        data = await request.body()
        loop = asyncio.get_running_loop()
        x = await loop.run_in_executor(None, lambda: prepare(Image.open(io.BytesIO(data)).convert("RGB")))
        future = loop.create_future()
        waiting.put((x, loop, future))
        row = await future
        e = np.exp(row - row.max())
        p = e / e.sum()
        c = int(p.argmax())
        return [{"label": str(c), "score": float(p[c])}]

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
''')


def rss(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmHWM"))


def wait_for(url, image, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit("a server has ended")
        try:
            return urllib.request.urlopen(urllib.request.Request(url, data=image)).read()
        except OSError:
            time.sleep(.1)
    sys.exit("a server does not answer")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--icebox", required=True)
    a.add_argument("--run", required=True)
    a.add_argument("--weights", required=True)
    a.add_argument("--images", required=True)
    a.add_argument("--seconds", type=float, default=8)
    a.add_argument("--rounds", type=int, default=3)
    a = a.parse_args()
    image = next(os.path.join(d, f) for d, _, fs in os.walk(a.images) for f in sorted(fs) if f.endswith(".jpg"))
    image = open(image, "rb").read()
    classes = len(open(os.path.join(a.run, "labels.txt")).read().splitlines())

    with tempfile.TemporaryDirectory() as d:
        script, port = os.path.join(d, "peer.py"), 18500
        open(script, "w").write(PEER)
        found = {}

        def load(url, **flags):
            args = [a.icebox, "bench", "serve", "--json", "--url", url, "--data", a.images]
            for key, value in flags.items():
                args += ["--" + key, str(value)]
            return json.loads(subprocess.run(args, check=True, capture_output=True, text=True).stdout.splitlines()[-1])

        for turn in range(a.rounds):
            for name in ("icebox", "torch", "onnxruntime"):
                port += 1
                url = f"http://127.0.0.1:{port}/"
                if name == "icebox":
                    args = [a.icebox, "serve", "--run", a.run, "--weights", a.weights, "--port", str(port), "--quiet"]
                else:
                    args = [sys.executable, script, name, a.weights, str(classes), str(port), os.path.join(d, "m.onnx")]
                server = subprocess.Popen(args, stdout=subprocess.DEVNULL)
                try:
                    wait_for(url, image, server)
                    of = found.setdefault(name, {})
                    for concurrency in (1, 16):
                        r = load(url, concurrency=concurrency, seconds=a.seconds)
                        assert r["failed"] == 0, r
                        of.setdefault(f"requests/s at {concurrency}", []).append(r["requests_per_s"])
                    half = load(url, rate=of["requests/s at 16"][-1] / 2, seconds=a.seconds)
                    of.setdefault("p50 ms at half load", []).append(half["p50_ms"])
                    of.setdefault("p99 ms at half load", []).append(half["p99_ms"])
                    of.setdefault("memory MB", []).append(rss(server.pid))
                finally:
                    server.terminate()
                    server.wait()
                print(json.dumps({"round": turn + 1, "server": name, **{k: v[-1] for k, v in of.items()}}), flush=True)
        rows = list(found["icebox"])
        print("| | icebox | FastAPI + PyTorch | FastAPI + ONNX Runtime | / PyTorch | / ONNX Runtime |\n|---|---|---|---|---|---|")
        for row in rows:
            m = {name: statistics.median(of[row]) for name, of in found.items()}
            print(f"| {row} | {m['icebox']:.1f} | {m['torch']:.1f} | {m['onnxruntime']:.1f} | {m['icebox'] / m['torch']:.2f} | {m['icebox'] / m['onnxruntime']:.2f} |")


if __name__ == "__main__":
    main()
