"""The Python side of embedSpeed.mjs: image files to vectors with PIL, NumPy and ONNX Runtime, as timm preprocesses.

Usage: embedSpeed.py model.onnx config.json SIZE BATCH THREADS SPIN; a JSON list of files a line on stdin.
"""

import json
import math
import resource
import sys
import time

import numpy as np
import onnxruntime
from PIL import Image

model, config, size, batch, threads, spin = sys.argv[1:]
size, batch = int(size), int(batch)
about = json.load(open(config))["pretrained_cfg"]
mean, std = (np.array(about[name], np.float32) for name in ("mean", "std"))
short = math.floor(size / about["crop_pct"])
resample = getattr(Image.Resampling, about["interpolation"].upper())

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.add_session_config_entry("session.intra_op.allow_spinning", spin)
session = onnxruntime.InferenceSession(model, options)
name = session.get_inputs()[0].name


def pixels(file):
    image = Image.open(file).convert("RGB")
    width, height = image.size
    if width <= height:
        to = (short, int(short * height / width))
    else:
        to = (int(short * width / height), short)
    image = image.resize(to, resample)
    left, top = (round((side - size) / 2) for side in to)
    image = image.crop((left, top, left + size, top + size))
    return (np.asarray(image, np.float32) / 255 - mean) / std


def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


for line in sys.stdin:
    files = json.loads(line)
    started, before, total = time.perf_counter(), spent(), 0.0
    for at in range(0, len(files), batch):
        images = np.stack([pixels(file) for file in files[at : at + batch]])
        images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        (features,) = session.run(None, {name: images})[:1]
        total += float(np.abs(features).sum())
    wall, cpu = time.perf_counter() - started, spent() - before
    print(json.dumps({"wall": wall, "cpu": cpu, "sum": total}), flush=True)
