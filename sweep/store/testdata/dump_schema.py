"""Writes what Optuna itself makes of an empty study database and of a few small trials: optuna_schema.json of SQLite, or
optuna_postgres.json where the URL of an empty PostgreSQL database is given.

Made with Python 3.11, optuna 5.0.0, SQLAlchemy 2.1.9, alembic 1.20.1, psycopg2 2.9.13, PostgreSQL 15.18. There is no randomness: the
trials have fixed parameters.

    python dump_schema.py > optuna_schema.json
    python dump_schema.py postgresql+psycopg2://USER:PASSWORD@HOST:PORT/DATABASE > optuna_postgres.json
"""
import json
import os
import sys
import tempfile

import optuna
import sqlalchemy


def live(url):
    """The study that schema_test.go lives through too."""
    study = optuna.create_study(storage=url, study_name="syncretic", direction="maximize")
    study.set_user_attr("seed", 7)
    study.enqueue_trial({"lambda": 0.25})
    study.enqueue_trial({"lambda": 0.5})

    def objective(trial):
        value = trial.suggest_float("lambda", 0, 1)
        trial.set_user_attr("error" if trial.number else "version", "v0")
        return float("nan") if trial.number else value

    study.optimize(objective, n_trials=2)
    study.enqueue_trial({"lambda": 1.0})

    # Every distribution, intermediate values of every kind, constraints, two objectives, infinities.
    pair = optuna.create_study(storage=url, study_name="pair", directions=["maximize", "minimize"])
    pair.enqueue_trial({"method": "ties", "density": 0.5, "steps": 10, "layers": 3, "scale": 0.25, "gamma": 0.01})
    trial = pair.ask()
    trial.suggest_categorical("method", ["task_arithmetic", "ties"])
    trial.suggest_float("density", 0.1, 0.9, step=0.1)
    trial.suggest_int("steps", 1, 1000, log=True)
    trial.suggest_int("layers", 0, 12, step=3)
    trial.suggest_float("scale", 0, 1)
    trial.suggest_float("gamma", 0.001, 1, log=True)
    pair._storage.set_trial_system_attr(trial._trial_id, "constraints", [-0.5, 0.25])  # as samplers with a constraints_func do
    pair.tell(trial, [float("inf"), float("-inf")])
    single = optuna.create_study(storage=url, study_name="steps")
    single.enqueue_trial({"n": 2})
    trial = single.ask()
    trial.suggest_int("n", 1, 4)
    for step, value in enumerate([0.5, float("inf"), float("-inf"), float("nan")]):
        trial.report(value, step)
    single.tell(trial, 0.125)


def rows(connection, tables):
    """Every row of every table, by its first column."""
    out = {}
    for name in tables:
        result = connection.execute(sqlalchemy.text(f"SELECT * FROM {name} ORDER BY 1"))
        out[name] = [["TIME" if "datetime" in key and v else v for key, v in zip(result.keys(), row)] for row in result]
    return out


def sqlite(connection):
    run = lambda text: connection.execute(sqlalchemy.text(text)).fetchall()
    tables = {}
    for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'"):
        indexes = []
        for _, index, unique, origin, _ in run(f"PRAGMA index_list({name})"):
            columns = [r[2] for r in run(f"PRAGMA index_info({index})")]
            indexes.append({"name": index if origin == "c" else "", "unique": bool(unique), "columns": columns})
        tables[name] = {
            # name, type, not null, position in the primary key
            "columns": [[r[1], r[2], r[3], r[5]] for r in run(f"PRAGMA table_info({name})")],
            "indexes": sorted(indexes, key=json.dumps),
            "foreign_keys": sorted([r[2], r[3], r[4]] for r in run(f"PRAGMA foreign_key_list({name})")),
        }
    return {"tables": tables, "rows": rows(connection, tables)}


def postgres(connection):
    with open(os.path.join(os.path.dirname(__file__), "describe_postgres.sql")) as f:
        lines = [r[0] for r in connection.exec_driver_sql(f.read().replace("%", "%%"))]
    return {"lines": lines, "rows": rows(connection, sorted({line.split()[1] for line in lines if line.startswith("column ")}))}


optuna.logging.set_verbosity(optuna.logging.ERROR)
with tempfile.TemporaryDirectory() as folder:
    url = sys.argv[1] if len(sys.argv) > 1 else "sqlite:///" + os.path.join(folder, "study.sqlite")
    live(url)
    with sqlalchemy.create_engine(url).connect() as connection:
        described = (postgres if len(sys.argv) > 1 else sqlite)(connection)
    print(json.dumps({"optuna": optuna.__version__, **described}, indent=1, sort_keys=True))
