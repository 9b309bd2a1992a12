"""Opens files of contrapose as other programs do, and prints what it saw as JSON.

Usage: foreign.py npy FILE | lightly FILE | tsv VECTORS METADATA
"""

import csv
import json
import sys

import numpy as np


def npy(path):
    array = np.load(path)
    return {"shape": array.shape, "dtype": str(array.dtype), "sum": float(array.sum(dtype=np.float64))}


def lightly(path):
    """As lightly.utils.io.load_embeddings does it."""
    try:
        from lightly.utils.io import load_embeddings

        embeddings, labels, filenames = load_embeddings(path)
        by = "lightly"
    except ImportError:
        with open(path) as file:
            rows = list(csv.reader(file))
        header = rows[0]
        assert header[0] == "filenames" and header[-1] == "labels"
        assert header[1:-1] == [f"embedding_{i}" for i in range(len(header) - 2)]
        filenames = [row[0] for row in rows[1:]]
        labels = [int(row[-1]) for row in rows[1:]]
        embeddings = np.array([row[1:-1] for row in rows[1:]], dtype=np.float32)
        by = "csv"
    return {"by": by, "shape": embeddings.shape, "sum": float(embeddings.sum(dtype=np.float64)), "labels": labels, "filenames": filenames}


def tsv(vectors, metadata):
    array = np.loadtxt(vectors, delimiter="\t", dtype=np.float32, ndmin=2)
    with open(metadata) as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return {"shape": array.shape, "sum": float(array.sum(dtype=np.float64)), "names": rows[0], "rows": len(rows) - 1}


print(json.dumps({"npy": npy, "lightly": lightly, "tsv": tsv}[sys.argv[1]](*sys.argv[2:])))
