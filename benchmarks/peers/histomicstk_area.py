"""Time HistomicsTK's deconvolution of an image with a threshold, in an interpreter that has it: MP per CPU-second."""

import sys
import time

import numpy as np

try:
    from histomicstk.preprocessing.color_deconvolution import color_deconvolution
except ImportError:
    sys.exit(1)

STAINS = np.array([[0.65111, 0.26917, 0.0], [0.70119, 0.56824, 0.0], [0.29049, 0.77759, 0.0]])
image = np.load(sys.argv[1])
times = []
for _ in range(3):
    start = time.process_time()
    share = (color_deconvolution(image, STAINS, 240).Stains[..., 1] < 160).mean()
    times.append(time.process_time() - start)
print(f"HistomicsTK color_deconvolution and a threshold {image[..., 0].size / 1e6 / sorted(times)[1]:.1f}")
