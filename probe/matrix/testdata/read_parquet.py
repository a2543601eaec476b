"""Reads matrix.parquet with pyarrow 26.0.1 and writes what it holds to matrix.parquet.json, for TestWriteParquet.

The file is what WriteParquet writes of that test's table:

    python probe/matrix/testdata/read_parquet.py probe/matrix/testdata/matrix.parquet
"""

import json
import sys

import pyarrow.parquet

table = pyarrow.parquet.read_table(sys.argv[1])
with open(sys.argv[1] + ".json", "w") as out:
    json.dump({"types": {f.name: str(f.type) for f in table.schema}, "rows": table.to_pylist()}, out)
    out.write("\n")
