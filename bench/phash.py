# The yardstick of bench/dedupe.mjs: decodes every image of a folder with Pillow and hashes it with ImageHash's PHash.
# pip install Pillow ImageHash; python3 bench/phash.py FOLDER
import os
import sys

import imagehash
from PIL import Image

for top, _, names in os.walk(sys.argv[1]):
    for name in names:
        try:
            imagehash.phash(Image.open(os.path.join(top, name)))
        except OSError:
            pass  # not an image
