"""Hold icebox's features of every image of some folders beside PyTorch's, and print the least cosine of each folder.

usage: python features_beside_torchvision.py --icebox ./icebox --weights resnet18.pth --double 32 FOLDER
needs: torch torchvision pillow numpy

Each folder in FOLDER is a set of images, at any depth. icebox is the native engine in fp32 (`icebox worker`). PyTorch is Pillow
and torchvision's transforms (256 pixels, crop of 224) and resnet18 in float32; of --double images of each set in float64, too.
Photos are turned upright by their EXIF tag, as icebox does. "far" is 1 - cosine, of the image named. The exit status is 1
where a cosine is below 0.9999, where icebox cannot read what Pillow reads, or where a folder has no image.
"""

import argparse, json, os, pathlib, subprocess, sys

import numpy as np
import torch, torchvision
from PIL import Image, ImageOps
from torchvision import transforms as T

LEAST = 0.9999


def by_icebox(args, files):
    """The feature of each file, or None. The rows come in the order of the files."""
    words = [args.icebox, "worker", "-q", "--offline", "--weights", args.weights, "backbone.engine=native", "backbone.precision=fp32"]
    out = subprocess.run(words, input="".join(f"{f}\n" for f in files), stdout=subprocess.PIPE, check=True, text=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    if [r["path"] for r in rows] != list(map(str, files)):
        sys.exit("icebox worker did not answer for every file, in order")
    return [np.array(r["feature"], "f8") if "feature" in r else None for r in rows]


class Images(torch.utils.data.Dataset):
    """Crops of files; a crop of nothing where Pillow cannot read one."""

    crop = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, n):
        try:
            return self.crop(ImageOps.exif_transpose(Image.open(self.files[n])).convert("RGB"))
        except OSError:
            return torch.full((3, 224, 224), float("nan"))


def by_torch(model, files, precision):
    model = model.to(precision)
    with torch.inference_mode():
        batches = torch.utils.data.DataLoader(Images(files), batch_size=32)
        return np.concatenate([model(x.to(precision)).double().numpy() for x in batches])


def furthest(ours, theirs, files):
    """1 - cosine of the pair that differs most, and its file."""
    # By the difference of the unit vectors: 1 - cosine itself is lost in the rounding of a number near 1.
    far = [((a / np.linalg.norm(a) - b / np.linalg.norm(b)) ** 2).sum() / 2 for a, b in zip(ours, theirs)]
    n = int(np.argmax(far))
    return far[n], files[n]


def compare(args, model, folder):
    """One line of the table. It returns whether all is well."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and "\n" not in str(f))
    if not files:
        print(f"| {folder.name} | 0 | | | |", flush=True)
        return False
    ours, theirs = by_icebox(args, files), by_torch(model, files, torch.float32)
    unread = [str(f) for f, a, b in zip(files, ours, theirs) if a is None and not np.isnan(b).any()]
    both = [n for n in range(len(files)) if ours[n] is not None and not np.isnan(theirs[n]).any()]
    if not both:
        print(f"| {folder.name} | 0 | | | |", flush=True)
        return False
    files, ours, theirs = ([of[n] for n in both] for of in (files, ours, theirs))
    far, worst = furthest(ours, theirs, files)
    some = range(0, len(files), max(1, len(files) // args.double)) if args.double else []
    exact = furthest([ours[n] for n in some], by_torch(model, [files[n] for n in some], torch.float64), some)[0] if args.double else float("nan")
    print(f"| {folder.name} | {len(files)} | {1 - far:.9f} | {far:.1e}, {worst.relative_to(folder)} | {exact:.1e} of {len(some)} |", flush=True)
    for name in unread:
        print(f"icebox cannot read {name}, which Pillow reads")
    return 1 - far >= LEAST and not unread


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--icebox", required=True)
    p.add_argument("--weights", required=True)
    p.add_argument("--double", type=int, default=0, help="images of each set that are compared in double precision, too")
    args = p.parse_args()
    model = torchvision.models.resnet18()
    model.load_state_dict(torch.load(args.weights, weights_only=True))
    model.fc = torch.nn.Identity()
    model = model.eval().to(memory_format=torch.channels_last)
    print("| images | of | least cosine | far | far from double |\n|" + "---|" * 5, flush=True)
    if not all([compare(args, model, f) for f in sorted(args.folder.resolve().iterdir()) if f.is_dir()]):
        sys.exit(f"a cosine is below {LEAST}, an image is unread or a folder has none")


if __name__ == "__main__":
    main()
