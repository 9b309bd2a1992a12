"""Opens files of contrapose as other programs do, and prints what it saw as JSON.

Usage: foreign.py npy FILE | csv FILE | lightly FILE | tsv VECTORS METADATA
"""

import csv
import json
import sys

import numpy as np


def vectors(array):
    return {"shape": array.shape, "values": array.ravel().tolist()}


def npy(path):
    array = np.load(path)
    return {**vectors(array), "dtype": str(array.dtype)}


def plain_csv(path):
    """The format that Lightly documents, read without it."""
    with open(path) as file:
        rows = list(csv.reader(file))
    header = rows[0]
    assert header[0] == "filenames" and header[-1] == "labels"
    assert header[1:-1] == [f"embedding_{i}" for i in range(len(header) - 2)]
    embeddings = np.array([row[1:-1] for row in rows[1:]], dtype=np.float32)
    return {
        **vectors(embeddings),
        "labels": [int(row[-1]) for row in rows[1:]],
        "filenames": [row[0] for row in rows[1:]],
    }


def lightly(path):
    from lightly.utils.io import load_embeddings

    embeddings, labels, filenames = load_embeddings(path)
    return {**vectors(np.asarray(embeddings)), "labels": list(labels), "filenames": list(filenames)}


def tsv(path, metadata):
    array = np.loadtxt(path, delimiter="\t", dtype=np.float32, ndmin=2)
    with open(metadata) as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return {**vectors(array), "names": rows[0], "rows": len(rows) - 1}


print(json.dumps({"npy": npy, "csv": plain_csv, "lightly": lightly, "tsv": tsv}[sys.argv[1]](*sys.argv[2:])))
