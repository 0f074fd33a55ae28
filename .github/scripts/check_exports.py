"""Hold icebox's exports against the programs that they are for.

    python check_exports.py FOLDER

FOLDER is what TestExportsElsewhere (cmd/icebox) prepares: the exports of one run, photos.json
(paths of images), crops.u1, features.f4, logits.f4 and probabilities.f8 (icebox's own, a row
a photo) and labels.json. The last line of stdout is a JSON object: a list of measures a
check, or why it was skipped. A check that fails ends the program.
"""

import json
import os
import sys

import numpy as np

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.chdir(sys.argv[1])
photos, labels = json.load(open("photos.json")), json.load(open("labels.json"))


def rows(name):
    return np.fromfile(name, name[-2:]).reshape(len(photos), -1)


crops = rows("crops.u1").reshape(-1, 224, 224, 3)
features, logits, probs = rows("features.f4"), rows("logits.f4"), rows("probabilities.f8")
best = probs.argmax(1)
results = {}


def check(what):
    def run(body):
        try:
            results[what] = body()
        except ImportError as missing:
            results[what] = f"skipped: {missing}"

    return run


def need(ok, text):
    if not ok:
        sys.exit(f"{text}; so far: {json.dumps(results)}")


def normalised(x):
    x = x.transpose(0, 3, 1, 2).astype("f4") / np.float32(255)
    mean, std = np.array([0.485, 0.456, 0.406], "f4"), np.array([0.229, 0.224, 0.225], "f4")
    return (x - mean[:, None, None]) / std[:, None, None]


def upright(path):
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def compared(got, n=None):
    """Compare (logits, probabilities, label) with icebox's first n."""
    got_logits, got_probs, got_label = got
    n = len(got_probs)
    dp, dl = np.abs(got_probs - probs[:n]).max(), np.abs(got_logits - logits[:n]).max()
    return {"photos": n, "max |dp|": float(dp), "max |dlogit|": float(dl), "other labels": int((got_label != best[:n]).sum())}


@check("onnx.checker, full_check")
def _():
    import onnx

    for name in ["crop.onnx", "pixels.onnx", "image.onnx", "hf/onnx/model.onnx"]:
        model = onnx.load(name)
        onnx.checker.check_model(model, full_check=True)
        meta = {p.key: p.value for p in model.metadata_props}
        need(json.loads(meta["labels"]) == labels, f"{name}: labels {meta['labels']}")
        import ast

        need(list(ast.literal_eval(meta["names"]).values()) == labels, f"{name}: names {meta['names']}")
    return "passed"


def in_batches(run, x, n=32):
    parts = [run(x[i : i + n]) for i in range(0, len(x), n)]
    return [np.concatenate(p) for p in zip(*parts)]


@check("onnxruntime, crops")
def _():
    import onnxruntime as ort

    out = {}
    for name, x in [("crop", crops), ("pixels", normalised(crops))]:
        s = ort.InferenceSession(name + ".onnx", providers=["CPUExecutionProvider"])
        m = compared(in_batches(lambda b: s.run(None, {s.get_inputs()[0].name: b}), x))
        need(m["max |dp|"] <= 1e-4 and m["other labels"] == 0, f"{name}: {m}")
        out[name] = m
    out["version"] = ort.__version__
    return out


@check("onnxruntime, whole images")
def _():
    # The file is held against torchvision's crop of the very pixels that it gets, too, so that
    # a decoder does not matter.
    import onnx
    import onnxruntime as ort
    from PIL import Image
    from torchvision import transforms

    model = onnx.load("image.onnx")
    model.graph.output.append(onnx.helper.make_tensor_value_info("crop.floats", onnx.TensorProto.FLOAT, [1, 3, 224, 224]))
    whole = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    crop = ort.InferenceSession("crop.onnx", providers=["CPUExecutionProvider"])
    prepared = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    answers, samples, off, furthest, dp, other, plain = [], 0, 0, 0, 0, 0, []
    for path in photos:
        pixels = upright(path)
        *row, made = whole.run(None, {"image": pixels})
        answers.append(row)
        want = np.asarray(prepared(Image.fromarray(pixels)))
        d = np.abs(made[0].transpose(1, 2, 0) - want)
        samples, off, furthest = samples + d.size, off + int((d > 0).sum()), max(furthest, float(d.max()))
        _, p, best_of_crop = crop.run(None, {"image": want[None]})
        dp, other = max(dp, float(np.abs(p - row[1]).max())), other + int(best_of_crop[0] != row[2][0])
        plain.append(not Image.open(path).info.get("progressive"))
    m = {"of the same pixels": {"photos": len(photos), "max |dp|": dp, "other labels": other, "samples that differ": off / samples, "by at most": furthest}}
    got = [np.concatenate(p) for p in zip(*answers)]
    d = np.abs(got[1] - probs).max(1)
    plain = np.array(plain)
    m["of icebox's"] = {
        "plain photos": int(plain.sum()), "max |dp|": float(d[plain].max(initial=0)), "progressive JPEG": int((~plain).sum()),
        "max |dp| of them": float(d[~plain].max(initial=0)), "other labels": int((got[2] != best).sum()),
    }
    need(furthest <= 1 and dp <= 0.02, f"whole images: {m}")
    return m


@check("openvino")
def _():
    import openvino as ov

    core, out = ov.Core(), {"version": ov.__version__}
    for name, x in [("crop", crops[:64]), ("pixels", normalised(crops[:64]))]:
        net = core.compile_model(name + ".onnx", "CPU")
        m = compared(in_batches(lambda b: list(net(b).values()), x))
        need(m["max |dp|"] <= 1e-3, f"openvino, {name}: {m}")
        out[name] = m
    net = core.compile_model("image.onnx", "CPU")
    out["image"] = compared([np.concatenate(p) for p in zip(*[list(net(upright(path)).values()) for path in photos[:16]])])
    return out


@check("torch, load_state_dict(strict=True)")
def _():
    import torch
    import torchvision

    import safetensors.torch

    x, out = torch.from_numpy(normalised(crops)), {"version": torch.__version__}
    for name in ["model.pth", "model.safetensors"]:
        net = torchvision.models.resnet18(weights=None, num_classes=len(labels)).eval()
        state = torch.load(name, weights_only=True) if name.endswith("pth") else safetensors.torch.load_file(name)
        net.load_state_dict(state, strict=True)
        with torch.no_grad():
            got = torch.cat([net(x[i : i + 32]) for i in range(0, len(x), 32)]).numpy()
        d = float(np.abs(got - logits).max())
        need(d <= 1e-4 * max(1, np.abs(logits).max()), f"{name}: logits differ by {d}")
        out[name] = {"photos": len(got), "max |dlogit|": d, "largest logit": float(np.abs(logits).max())}
    names = json.load(open("index_to_name.json"))
    need([names[str(i)] for i in range(len(labels))] == labels, f"index_to_name.json: {names}")
    return out


@check("transformers, pipeline")
def _():
    import transformers
    from PIL import Image

    classify = transformers.pipeline("image-classification", model="hf", device="cpu")
    some = [Image.fromarray(upright(p)) for p in photos[:100]]
    answers = classify(some, top_k=len(labels), batch_size=16)
    off = [a[0]["label"] != labels[b] for a, b in zip(answers, best)]
    t = json.load(open("hf/config.json"))["icebox"]["temperature"]
    raw = np.exp(logits[:100].astype("f8") - logits[:100].max(1, keepdims=True))
    raw /= raw.sum(1, keepdims=True)
    scores = np.array([[{s["label"]: s["score"] for s in a}[name] for name in labels] for a in answers])
    dp = float(np.abs(scores - raw[: len(scores)]).max())
    m = {"photos": len(answers), "other labels": sum(off), "max |d score| as trained": dp, "temperature": t, "version": transformers.__version__}
    need(sum(off) == 0, f"transformers: {m}")
    return m


@check("scikit-learn")
def _():
    import sklearn
    from sklearn.linear_model import LogisticRegression

    z = np.load("lr.npz")
    lr = LogisticRegression()
    lr.coef_, lr.intercept_, lr.classes_ = z["coef_"], z["intercept_"], z["classes_"]
    off = int((lr.predict(features) != np.array(labels)[best]).sum())
    raw = np.exp((logits - logits.max(1, keepdims=True)).astype("f8"))
    raw /= raw.sum(1, keepdims=True)
    d = float(np.abs(lr.predict_proba(features) - raw).max())
    scaled = lr.decision_function(features)
    scaled = np.stack([0 * scaled, scaled], 1) if len(labels) == 2 else scaled
    scaled = np.exp((scaled - scaled.max(1, keepdims=True)) / z["temperature"])
    dp = float(np.abs(scaled / scaled.sum(1, keepdims=True) - probs).max())
    m = {"photos": len(features), "other labels": off, "max |d predict_proba| as trained": d, "max |dp| at the temperature": dp, "version": sklearn.__version__}
    need(off == 0 and d <= 1e-4 and dp <= 1e-4, f"scikit-learn: {m}")
    return m


print(json.dumps(results))
