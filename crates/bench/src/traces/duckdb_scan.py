# The same eight fields as unwedge reads, one aggregate each, by (tid, kind, object). Prints a line of JSON.
#
# usage: duckdb_scan.py FILE default|tuned     both with as many threads as there are processors
import json
import os
import sys
import time

import duckdb

trace, settings = sys.argv[1:]
threads = len(os.sched_getaffinity(0))
database = duckdb.connect()
database.execute(f"SET threads={threads}")
# It would be printed between our own output.
database.execute("SET enable_progress_bar=false")
more = ""
if settings == "tuned":
    # Smaller buffers spread better over threads, and no order needs to be kept.
    database.execute("SET preserve_insertion_order=false")
    more = ", maximum_object_size=4194304, compression='uncompressed'"
begin = time.monotonic()
groups = database.execute(
    f"""
    SELECT tid, kind, object, count(*), min(host_ns), max(guest_ns), max(tid_event_idx), min(call), sum(timeout_ns)
    FROM read_json($trace, format = 'newline_delimited', ignore_errors = true, columns = {{
        host_ns: 'UBIGINT', guest_ns: 'UBIGINT', tid: 'UINTEGER', tid_event_idx: 'UBIGINT',
        kind: 'VARCHAR', call: 'VARCHAR', object: 'VARCHAR', timeout_ns: 'UBIGINT'}}{more})
    GROUP BY tid, kind, object
    """,
    {"trace": trace},
).fetchall()
print(
    json.dumps(
        {
            "seconds": time.monotonic() - begin,
            "rows": sum(group[3] for group in groups),
            "groups": len(groups),
            "threads": threads,
            "version": duckdb.__version__,
        }
    )
)
