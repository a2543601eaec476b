"""Writes optuna_schema.json: what Optuna itself makes of an empty study database and of two small trials.

Made with Python 3.11, optuna 5.0.0, SQLAlchemy 2.1.9, alembic 1.20.1. There is no randomness: both trials have fixed parameters.

    python dump_schema.py > optuna_schema.json
"""
import json
import os
import sqlite3
import tempfile

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "study.sqlite")
    study = optuna.create_study(storage="sqlite:///" + path, study_name="syncretic", direction="maximize")
    study.set_user_attr("seed", 7)
    study.enqueue_trial({"lambda": 0.25})
    study.enqueue_trial({"lambda": 0.5})

    def objective(trial):
        value = trial.suggest_float("lambda", 0, 1)
        trial.set_user_attr("error" if trial.number else "version", "v0")
        return float("nan") if trial.number else value

    study.optimize(objective, n_trials=2)
    study.enqueue_trial({"lambda": 1.0})

    db = sqlite3.connect(path)
    tables = {}
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        indexes = []
        for _, index, unique, origin, _ in db.execute(f"PRAGMA index_list({name})").fetchall():
            columns = [r[2] for r in db.execute(f"PRAGMA index_info({index})").fetchall()]
            indexes.append({"name": index if origin == "c" else "", "unique": bool(unique), "columns": columns})
        tables[name] = {
            # name, type, not null, position in the primary key
            "columns": [[r[1], r[2], r[3], r[5]] for r in db.execute(f"PRAGMA table_info({name})").fetchall()],
            "indexes": sorted(indexes, key=json.dumps),
            "foreign_keys": sorted([r[2], r[3], r[4]] for r in db.execute(f"PRAGMA foreign_key_list({name})").fetchall()),
            "rows": [
                ["TIME" if "datetime" in d[0] and v else v for d, v in zip(cursor.description, row)]
                for cursor in [db.execute(f"SELECT * FROM {name}")]
                for row in cursor.fetchall()
            ],
        }
    print(json.dumps({"optuna": optuna.__version__, "tables": tables}, indent=1, sort_keys=True))
