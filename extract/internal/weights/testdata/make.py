"""Makes the fixtures of this folder: python make.py (torch, torchvision, safetensors).

Every value is a small integer. golden.json says, for each good file, the tensors'
type, shape and row-major little-endian bytes; params.json lists torchvision's names
and shapes. The files under bad/ must be refused. Nothing here comes from elsewhere.
"""
import io, json, os, zipfile
import torch, torchvision
from collections import OrderedDict
from safetensors.torch import save_file

os.makedirs("good", exist_ok=True)
os.makedirs("bad", exist_ok=True)


def count(*shape, start=0, dtype=torch.float32):
    n = 1
    for d in shape:
        n *= d
    return torch.arange(start, start + n).to(dtype).reshape(shape)


golden = {}


def record(file, tensors):
    golden[file] = {}
    for name, t in tensors.items():
        c = t.detach().contiguous()
        raw = bytes(c.view(torch.uint8).flatten().tolist()) if c.dim() else bytes(c.reshape(1).view(torch.uint8).tolist())
        kind = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
                torch.int64: "I64", torch.int32: "I32", torch.bool: "BOOL", torch.uint8: "U8"}[t.dtype]
        golden[file][name] = {"dtype": kind, "shape": list(t.shape), "hex": raw.hex()}


def good(file, obj, tensors, **options):
    torch.save(obj, "good/" + file, **options)
    record(file, tensors)


base = count(4, 6, start=100)
plain = OrderedDict(
    kernel=count(2, 3, 2, 2), vector=count(5), scalar=torch.tensor(7), empty=torch.zeros(0, 3),
    half=count(3, dtype=torch.float16), double=count(3, dtype=torch.float64), brain=count(3, dtype=torch.bfloat16),
    flags=torch.tensor([True, False]), bytes=count(3, dtype=torch.uint8))
good("plain.pth", plain, plain)
views = OrderedDict(turned=base.t(), part=base[1:3, 2:5], row=base[2], whole=base,
                    last=count(2, 3, 2, 2).contiguous(memory_format=torch.channels_last), expanded=torch.ones(1).expand(3))
good("views.pth", views, views)
params = OrderedDict(w=torch.nn.Parameter(count(2, 2)), b=torch.nn.Parameter(count(2)))
good("parameter.pth", params, params)
few = OrderedDict(a=count(2, 2), b=count(3, start=9))
good("module.pth", OrderedDict(("module." + k, v) for k, v in few.items()), few)
good("state_dict.pth", {"epoch": 3, "state_dict": few, "best": 0.5, "name": "x", "list": [1, None, (2, 3)]}, few)
good("model.pth", {"model": {"model_state_dict": dict(few)}, "optimizer": {"state": {0: {"exp_avg": count(2)}}}}, few)
linear = torch.nn.Linear(2, 3)
with torch.no_grad():
    linear.weight.copy_(count(3, 2)), linear.bias.copy_(count(3))
good("metadata.pth", linear.state_dict(), linear.state_dict())
save_file({k: v for k, v in plain.items()}, "good/plain.safetensors", metadata={"format": "pt", "made": "by hand"})
record("plain.safetensors", plain)


class Evil:
    def __reduce__(self):
        return os.system, ("echo executed",)


def bad(file, obj, **options):
    torch.save(obj, "bad/" + file, **options)


bad("evil.pth", {"a": few["a"], "b": Evil()})
bad("evil-protocol4.pth", {"a": few["a"], "b": Evil()}, pickle_protocol=4)
bad("legacy.pth", few, _use_new_zipfile_serialization=False)
bad("network.pth", linear)
bad("protocol4.pth", few, pickle_protocol=4)
bad("list.pth", [1, 2, few["a"]])
bad("no-tensors.pth", {"epoch": 3})
torch.jit.script(linear).save("bad/script.pth")

buffer = io.BytesIO()
torch.save(few, buffer)


def rezip(file, method=zipfile.ZIP_STORED, change=lambda name, data: data):
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile("bad/" + file, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data, method)


rezip("compressed.pth", zipfile.ZIP_DEFLATED)
rezip("big-endian.pth", change=lambda name, data: b"big" if name.endswith("byteorder") else data)
rezip("missing-entry.pth", change=lambda name, data: None if name.endswith("data/1") else data)
rezip("short-entry.pth", change=lambda name, data: data[:-4] if name.endswith("data/1") else data)
rezip("no-pickle.pth", change=lambda name, data: None if name.endswith("data.pkl") else data)

with open("golden.json", "w") as f:
    f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in golden.items()) + "\n}\n")
backbone = [[k, list(v.shape)] for k, v in torchvision.models.resnet18().state_dict().items()
            if not k.startswith("fc.") and not k.endswith("num_batches_tracked")]
with open("params.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(p) for p in backbone) + "\n]\n")
