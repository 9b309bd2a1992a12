#!/usr/bin/env python3
"""The recipe of examples/cifar10-subset.yaml in PyTorch on the CPU, to compare by the clock.

  python3 bench/torchSimclr.py TRAIN.bin TEST.bin [--epochs 6] [--seed 0] [--threads 2]

Three residual blocks (width 16), 256 images a batch in two views, SGD 0.24 with momentum 0.9 and weight decay 5e-4, one epoch of
warm-up and a cosine, temperature 0.2. Views are made for a whole batch at once as tensors: crops of 0.2 to 1 (bilinear), flips, colour
jitter 0.4/0.4/0.4/0.1 (hue as a turn in YIQ) with probability 0.8, grey with 0.2. After each epoch a k-NN vote (k 20, temperature 0.07) of
2,000 test images on features of the encoder. Prints a line of JSON an epoch; seconds are of training and measuring.
"""
import argparse, json, math, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument("train"); p.add_argument("test")
p.add_argument("--epochs", type=int, default=6)
p.add_argument("--seed", type=int, default=0)
p.add_argument("--threads", type=int, default=2)
a = p.parse_args()
torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
B, WIDTH, TAU, PEAK = 256, 16, 0.2, 0.24
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1); STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

def load(path):
    rows = np.fromfile(path, np.uint8).reshape(-1, 3073)
    return torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255), torch.from_numpy(rows[:, 0].astype(np.int64))

class Block(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False); self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False); self.bn2 = nn.BatchNorm2d(c_out)
        self.short = nn.Identity() if stride == 1 and c_in == c_out else nn.Sequential(
            nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.short(x))

net = nn.Sequential(nn.Conv2d(3, WIDTH, 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(), Block(WIDTH, WIDTH, 1),
                    Block(WIDTH, 2 * WIDTH, 2), Block(2 * WIDTH, 4 * WIDTH, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
head = nn.Sequential(nn.Linear(4 * WIDTH, 4 * WIDTH), nn.ReLU(), nn.Linear(4 * WIDTH, 128))
parameters = [*net.parameters(), *head.parameters()]
optimiser = torch.optim.SGD(parameters, lr=PEAK, momentum=0.9, weight_decay=5e-4)
grey = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
to_yiq = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]]); to_rgb = torch.inverse(to_yiq)

def uniform(n, low, high): return torch.empty(n, 1, 1, 1).uniform_(low, high)
def luma(x): return (x * grey).sum(1, keepdim=True)

def views(x):
    n = len(x)
    area = torch.empty(n).uniform_(0.2, 1); ratio = torch.exp(torch.empty(n).uniform_(math.log(3 / 4), math.log(4 / 3)))
    w, h = torch.sqrt(area * ratio).clamp(max=1), torch.sqrt(area / ratio).clamp(max=1)
    cx, cy = (1 - w) * (2 * torch.rand(n) - 1), (1 - h) * (2 * torch.rand(n) - 1)
    flip = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3); theta[:, 0, 0] = w * flip; theta[:, 1, 1] = h; theta[:, 0, 2] = cx; theta[:, 1, 2] = cy
    x = F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False, padding_mode="reflection")
    y = (x * uniform(n, 0.6, 1.4)).clamp(0, 1)
    y = (luma(y).mean((2, 3), keepdim=True) + (y - luma(y).mean((2, 3), keepdim=True)) * uniform(n, 0.6, 1.4)).clamp(0, 1)
    y = (luma(y) + (y - luma(y)) * uniform(n, 0.6, 1.4)).clamp(0, 1)
    turn = torch.empty(n).uniform_(-0.1, 0.1) * 2 * math.pi
    rotation = torch.zeros(n, 3, 3); rotation[:, 0, 0] = 1
    rotation[:, 1, 1] = rotation[:, 2, 2] = torch.cos(turn); rotation[:, 1, 2] = -torch.sin(turn); rotation[:, 2, 1] = torch.sin(turn)
    y = torch.einsum("nij,njhw->nihw", to_rgb @ rotation @ to_yiq, y).clamp(0, 1)
    x = torch.where(torch.rand(n, 1, 1, 1) < 0.8, y, x)
    x = torch.where(torch.rand(n, 1, 1, 1) < 0.2, luma(x).expand_as(x), x)
    return (x - MEAN) / STD

def features(x):
    net.eval()
    with torch.no_grad():
        rows = torch.cat([net((part - MEAN) / STD) for part in x.split(500)])
    net.train()
    return F.normalize(rows, dim=1)

def knn(train, labels, test, wanted):
    similarity, at = (features(test) @ features(train).T).topk(20, 1)
    votes = torch.zeros(len(test), 10).scatter_add_(1, labels[at], torch.exp(similarity / 0.07))
    return (votes.argmax(1) == wanted).float().mean().item()

images, labels = load(a.train); test, wanted = load(a.test)
test, wanted = test[:2000], wanted[:2000]
steps = len(images) // B; total = a.epochs * steps; done = 0
target = (torch.arange(2 * B) + B) % (2 * B); itself = torch.eye(2 * B, dtype=torch.bool)
start = time.perf_counter()
for epoch in range(a.epochs):
    order = torch.randperm(len(images)); losses = []
    for k in range(steps):
        rate = PEAK * (done + 1) / steps if done < steps else PEAK * 0.5 * (1 + math.cos(math.pi * (done - steps) / max(1, total - steps)))
        for group in optimiser.param_groups: group["lr"] = rate
        x = images[order[k * B:(k + 1) * B]]
        z = F.normalize(head(net(torch.cat([views(x), views(x)]))), dim=1)
        loss = F.cross_entropy((z @ z.T / TAU).masked_fill(itself, -1e9), target)
        optimiser.zero_grad(); loss.backward(); optimiser.step()
        losses.append(loss.item()); done += 1
    accuracy = knn(images, labels, test, wanted)
    print(json.dumps({"epoch": epoch + 1, "seconds": round(time.perf_counter() - start, 1), "loss": round(sum(losses) / steps, 3),
                      "knn": round(accuracy, 4), "torch": torch.__version__}), flush=True)
