"""Optuna beside the package's own workers: run by TestOptuna (python_test.go). Needs optuna 4 or 5, optuna-dashboard and, for
PostgreSQL, psycopg2.

    python peer.py load URL STUDY        what load_study reads, as JSON
    python peer.py work URL STUDY N      N trials by study.optimize, with heartbeats
    python peer.py ask URL STUDY         claims one trial, gives it a heartbeat and ends without finishing it
    python peer.py stale URL STUDY       fails trials whose heartbeats are older than a minute, and enqueues them again
    python peer.py dashboard URL STUDY   what optuna-dashboard serves, as JSON
"""
import json
import sys
import threading
import urllib.request
import warnings
import wsgiref.simple_server

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage(url):
    engine = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    retry = getattr(optuna.storages, "RetryHeartbeatStaleTrialCallback", None) or optuna.storages.RetryFailedTrialCallback
    return optuna.storages.RDBStorage(url, engine_kwargs=engine, heartbeat_interval=10, grace_period=60, failed_trial_callback=retry(max_retry=3))


def plain(value):
    """Values that JSON has no number for, as words."""
    return value if abs(value) < float("inf") else str(value)


def load(study):
    study.trials_dataframe()
    return {
        "directions": [d.name for d in study.directions],
        "user": study.user_attrs,
        "trials": [
            {
                "number": t.number,
                "state": t.state.name,
                "params": t.params,
                "distributions": {k: optuna.distributions.distribution_to_json(d) for k, d in t.distributions.items()},
                "values": [plain(v) for v in t.values] if t.values is not None else None,
                "steps": {str(k): plain(v) for k, v in t.intermediate_values.items()},
                "user": t.user_attrs,
                "constraints": t.system_attrs.get("constraints"),
                "fixed": t.system_attrs.get("fixed_params"),
                "failed_trial": t.system_attrs.get("failed_trial"),
                "duration": t.duration.total_seconds() if t.duration else None,
            }
            for t in study.trials
        ],
    }


def objective(trial):
    method = trial.suggest_categorical("method", ["task_arithmetic", "ties"])
    value = trial.suggest_float("scale", 0, 1) + trial.suggest_int("steps", 1, 1000, log=True) / 1000
    if method == "ties":
        value += trial.suggest_float("density", 0.1, 0.9, step=0.1)
    trial.report(value / 2, 1)
    trial.set_user_attr("worker", "python")
    return value


def dashboard(url, name):
    import optuna_dashboard

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *args):
            pass

    server = wsgiref.simple_server.make_server("127.0.0.1", 0, optuna_dashboard.wsgi(storage(url)), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=60) as answer:
            return answer.read().decode()

    studies = json.loads(get("/api/studies"))["study_summaries"]
    (number,) = [s["study_id"] for s in studies if s["study_name"] == name]
    detail = json.loads(get(f"/api/studies/{number}"))
    return {
        "studies": sorted(s["study_name"] for s in studies),
        "states": [t["state"] for t in detail["trials"]],
        "params": sorted(p["name"] for p in detail["union_search_space"]),
        "page": "<html" in get(f"/dashboard/studies/{number}").lower(),
    }


verb, url, name = sys.argv[1:4]
if verb == "dashboard":
    print(json.dumps(dashboard(url, name)))
    sys.exit()
kept = storage(url)
study = optuna.load_study(study_name=name, storage=kept, sampler=optuna.samplers.TPESampler(seed=1, n_startup_trials=5))
if verb == "load":
    print(json.dumps(load(study)))
elif verb == "work":
    study.optimize(objective, n_trials=int(sys.argv[4]))
elif verb == "ask":
    trial = study.ask()
    objective(trial)
    kept.record_heartbeat(trial._trial_id)
elif verb == "stale":
    optuna.storages.fail_stale_trials(study)
else:
    sys.exit(f"unknown verb {verb}")
