"""Reads a store with DuckDB and Polars and prints what they see, as JSON. Runs every example of a page as well.

usage: read_store.py PAGE       in the folder that holds `store`
"""

import json
import re
import sys

import duckdb
import polars

page = open(sys.argv[1], encoding="utf-8").read()
examples = {}
for number, (language, text) in enumerate(re.findall(r"```(sql|python)\n(.*?)```", page, re.S)):
    if language == "sql":
        examples[f"{number} sql"] = duckdb.sql(text).fetchall()
    else:
        names = {}
        exec(text, names)
        examples[f"{number} python"] = names["busiest"].rows()

by_op = "SELECT op, count(*) FROM 'store/events/*.parquet' GROUP BY op ORDER BY op"
whole = "SELECT count(*), sum(at_ns), sum(value), sum(amount), count(object), count(code) FROM 'store/events/*.parquet'"
events = polars.read_parquet("store/events/*.parquet")
count = polars.len().alias("count")
print(
    json.dumps(
        {
            "duckdb": {
                "ops": duckdb.sql(by_op).fetchall(),
                "whole": [int(number) for number in duckdb.sql(whole).fetchall()[0]],
                "types": [str(kind) for kind in duckdb.sql("FROM 'store/events/*.parquet'").types],
                "objects": duckdb.sql("FROM 'store/objects.parquet' ORDER BY id").fetchall(),
                "agents": duckdb.sql("FROM 'store/agents.parquet' ORDER BY id").fetchall(),
                "names": duckdb.sql("FROM 'store/names.parquet' ORDER BY id").fetchall(),
            },
            "polars": {
                "ops": [list(row) for row in events.group_by("op").agg(count).sort("op").rows()],
                "whole": [
                    len(events),
                    events["at_ns"].sum(),
                    events["value"].sum(),
                    events["amount"].sum(),
                    events["object"].count(),
                    events["code"].count(),
                ],
                "objects": [list(row) for row in polars.read_parquet("store/objects.parquet").sort("id").rows()],
            },
            "examples": examples,
        }
    )
)
