"""Small encoders of timm, transformers and torchvision: made at random, and their features.

Usage: starts.py make LIBRARY FOLDER
       starts.py features LIBRARY FOLDER PIXELS SIDE    (float32 [N, 3, SIDE, SIDE]; prints the features as JSON)
"""

import json
import os
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

task, library, folder = sys.argv[1:4]
at = lambda name: os.path.join(folder, name)
preprocessing = {"input_size": [3, 32, 32], "mean": [0.5] * 3, "std": [0.25] * 3, "crop_pct": 0.9}


def plain(state):
    return {name: tensor.contiguous() for name, tensor in state.items()}


def write(name, value):
    with open(at(name), "w") as file:
        json.dump(value, file)


def make():
    torch.manual_seed(3)
    if library == "transformers":
        from transformers import ViTConfig, ViTImageProcessor, ViTModel

        sizes = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48)
        ViTModel(ViTConfig(image_size=32, patch_size=8, **sizes)).save_pretrained(folder)
        ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    elif library == "timm":
        import timm

        args = {"img_size": 32, "depth": 2, "patch_size": 8, "embed_dim": 24, "num_heads": 3}
        model = timm.create_model("vit_tiny_patch16_224", num_classes=5, **args)
        save_file(plain(model.state_dict()), at("model.safetensors"))
        name = "vit_tiny_patch16_224"
        write("config.json", {"architecture": name, "model_args": args, "pretrained_cfg": preprocessing})
    else:
        import torchvision

        model = torchvision.models.resnet18()
        save_file(plain(model.state_dict()), at("model.safetensors"))
        write("config.json", {"pretrained_cfg": preprocessing})


def loaded():
    if library == "transformers":
        from transformers import AutoModel

        model, info = AutoModel.from_pretrained(folder, output_loading_info=True)
        wrong = [name for name in info["missing_keys"] if not name.startswith("pooler.")]
        assert not wrong and not info["unexpected_keys"], info
        return lambda x: model.eval()(pixel_values=x).last_hidden_state[:, 0]
    if library == "timm":
        import timm

        with open(at("config.json")) as file:
            config = json.load(file)
        model = timm.create_model(
            config["architecture"], num_classes=config["num_classes"], **config["model_args"]
        )
    else:
        import torchvision

        model = torchvision.models.resnet18()
        model.fc = torch.nn.Identity()
    model.load_state_dict(load_file(at("model.safetensors")))
    return model.eval()


if task == "make":
    make()
else:
    side = int(sys.argv[5])
    pixels = np.fromfile(sys.argv[4], dtype=np.float32).reshape(-1, 3, side, side)
    with torch.no_grad():
        print(json.dumps(loaded()(torch.from_numpy(pixels)).tolist()))
