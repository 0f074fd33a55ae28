"""Read icebox's exported features with the programs that they are for.

    python check_features.py FOLDER

FOLDER holds npy/, npz/, parquet/, safetensors/, csv/ and projector/, exports of one dataset.
All are held against npy/. The last line of stdout is a JSON object: what a reader said, or why
it was skipped. A check that fails ends the program.
"""

import csv
import json
import os
import sys

import numpy as np

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
os.chdir(sys.argv[1])
features, labels = np.load("npy/features.npy"), np.load("npy/labels.npy")
index = list(csv.DictReader(open("npy/index.csv", newline="", encoding="utf-8")))
paths = [row["path"] for row in index]
results = {}


def check(what):
    def run(body):
        try:
            results[what] = body() or f"{len(features)} rows"
        except ImportError as missing:
            results[what] = f"skipped: {missing}"

    return run


def same(x, y, what):
    if not np.array_equal(np.asarray(x), np.asarray(y)):
        sys.exit(f"{what} differs: {x!r:.300} and {y!r:.300}")


@check("numpy, npz")
def _():
    z = np.load("npz/features.npz")
    same(z["features"], features, "features")
    same(z["labels"], labels, "labels")
    same(z["paths"], paths, "paths")
    same(z["splits"], [row["split"] for row in index], "splits")
    same(z["sha256"], [row["sha256"] for row in index], "sha256")
    same([z["classes"][n] if n >= 0 else "" for n in labels], [row["label"] for row in index], "classes")


@check("safetensors")
def _():
    from safetensors.numpy import load_file

    t = load_file("safetensors/features.safetensors")
    same(t["features"], features, "features")
    same(t["labels"], labels, "labels")


@check("pandas, parquet and csv")
def _():
    import pandas

    d = pandas.read_parquet("parquet/features.parquet")
    same(np.stack(d["feature"]), features, "features")
    same(d["path"], paths, "paths")
    same(d["label"].fillna(-1), labels, "labels")
    d = pandas.read_csv("csv/features.csv", float_precision="round_trip", keep_default_na=False)
    same(d[[c for c in d if c[0] == "f" and c[1:].isdigit()]].to_numpy("f4"), features, "features of the csv")
    same(d["label"], [row["label"] for row in index], "labels of the csv")


@check("polars, parquet")
def _():
    import polars

    d = polars.read_parquet("parquet/features.parquet")
    same(np.stack(d["feature"].to_list()).astype("f4"), features, "features")
    same(d["path"].to_list(), paths, "paths")


@check("duckdb, parquet")
def _():
    import duckdb

    d = duckdb.sql("select path, feature, len(feature) from 'parquet/features.parquet'").fetchall()
    same([r[0] for r in d], paths, "paths")
    same(np.array([r[1] for r in d], "f4"), features, "features")


@check("datasets, parquet")
def _():
    import datasets

    d = datasets.Dataset.from_parquet("parquet/features.parquet", cache_dir="datasets-cache")
    same(np.array(d["feature"], "f4"), features, "features")
    same(d["path"], paths, "paths")


@check("tensorboard, projector")
def _():
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2
    from tensorboard.plugins.projector.projector_plugin import _read_tensor_tsv_file

    config = text_format.Parse(open("projector/projector_config.pbtxt").read(), projector_config_pb2.ProjectorConfig())
    (e,) = config.embeddings
    same(_read_tensor_tsv_file("projector/" + e.tensor_path).astype("f4"), features, "features")
    lines = open("projector/" + e.metadata_path, encoding="utf-8").read().splitlines()
    same(lines[0].split("\t"), ["label", "path", "split"], "header")
    same([line.split("\t")[1] for line in lines[1:]], paths, "paths")
    if e.sprite.image_path:
        from PIL import Image

        side, across = Image.open("projector/" + e.sprite.image_path).width, 1
        while across**2 < len(features):
            across += 1
        same(side, across * e.sprite.single_image_dim[0], "sprite")
        return f"{len(features)} rows, a sprite of {side} pixels"
    return f"{len(features)} rows, no sprite"


print(json.dumps(results))
