"""Writes sobol.json: points of scipy's unscrambled Sobol sequence, as the 32 bits after the binary point.

    python sobol.py > sobol.json

Made with scipy 1.17.1, numpy 2.4.6 and Python 3.11.
"""

import json

import scipy
from scipy.stats import qmc

DIMENSIONS = 64
POINTS = [*range(8), 100, 255, 256, 1023, 4097, 65535, 1000003]


def point(i):
    engine = qmc.Sobol(d=DIMENSIONS, scramble=False, bits=32)
    if i > 0:
        engine.fast_forward(i)
    return [int(x * 2**32) for x in engine.random(1)[0]]


rows = ",\n  ".join(json.dumps({"index": i, "bits": point(i)}) for i in POINTS)
print(f'{{"scipy": "{scipy.__version__}", "points": [\n  {rows}\n]}}')
