"""Features of a small residual network in plain PyTorch, compared with an .npy file: prints the largest difference.

Usage: torchFeatures.py weights.safetensors cifar.bin features.npy
"""

import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

path, images, expected = sys.argv[1:4]
with open(path, "rb") as file:
    length = struct.unpack("<Q", file.read(8))[0]
    header = json.loads(file.read(length))
    data = file.read()
about = header.pop("__metadata__")
weights = {}
for name, entry in header.items():
    start, end = entry["data_offsets"]
    array = np.frombuffer(data[start:end], dtype=np.float32).reshape(entry["shape"])
    weights[name] = torch.from_numpy(array.copy())
encoder = json.loads(about["encoder"])
mean = torch.tensor(json.loads(about["mean"])).reshape(1, 3, 1, 1)
std = torch.tensor(json.loads(about["std"])).reshape(1, 3, 1, 1)


def norm(x, name):
    get = lambda part: weights[f"{name}.{part}"]
    return F.batch_norm(x, get("running_mean"), get("running_var"), get("weight"), get("bias"))


def block(x, name, stride):
    y = F.relu(norm(F.conv2d(x, weights[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
    y = norm(F.conv2d(y, weights[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
    if f"{name}.downsample.0.weight" in weights:
        x = norm(F.conv2d(x, weights[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
    return F.relu(x + y)


records = np.frombuffer(open(images, "rb").read(), dtype=np.uint8).reshape(-1, 3073)
x = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255)
x = (x - mean) / std
x = F.relu(norm(F.conv2d(x, weights["conv1.weight"], padding=1), "bn1"))
for stage, count in enumerate(encoder["blocks"]):
    for i in range(count):
        x = block(x, f"layer{stage + 1}.{i}", 2 if i == 0 and stage > 0 else 1)
features = x.mean((2, 3)).numpy()
print(np.abs(features - np.load(expected)).max())
