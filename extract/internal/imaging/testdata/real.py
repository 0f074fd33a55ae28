"""Writes real.json, from the data sets in the folder given: Pillow's crops of all
their JPEGs, boiled down to one hash each. Needs Pillow, torchvision, numpy.
"""
import glob, hashlib, json, os, sys
import numpy as np
from PIL import Image, ImageOps
from torchvision import transforms as T

CROP = T.Compose([T.Resize(256), T.CenterCrop(224)])
out = {}
for name in ("imagenet-64", "hymenoptera", "cifar10-6k"):
    total, n = hashlib.sha256(), 0
    files = glob.glob(os.path.join(sys.argv[1], name, "**", "*"), recursive=True)
    for path in sorted(files, key=lambda f: os.fsencode(os.path.relpath(f, sys.argv[1]))):
        if not os.path.isfile(path):
            continue
        im = Image.open(path)
        if im.format != "JPEG":
            continue
        crop = np.asarray(CROP(ImageOps.exif_transpose(im).convert("RGB")))
        total.update(hashlib.sha256(crop.tobytes()).hexdigest().encode())
        n += 1
    out[name] = dict(images=n, crops=total.hexdigest())
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "real.json"), "w") as f:
    json.dump(out, f, indent=0)
