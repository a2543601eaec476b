// Package store keeps studies in Optuna's relational schema, so that a study written here opens with optuna.load_study and
// optuna-dashboard, and the other way round; and it is the queue that the workers of a distributed sweep pull trials from. It
// knows trials, parameters, values and attributes; it knows nothing of models or scores: that is package sweep.
//
// Start at [Create] and [Open] for a database (an SQLite file, or PostgreSQL by URL), [DB.CreateStudy] and [DB.Study] for a study.
// A worker's loop is
//
//	turn, err := study.Claim(ctx, store.ClaimOptions{Space: space, Propose: sampler.Ask, Stale: time.Minute})
//	// turn.Trial is nil: leave where turn.Done, else wait and ask again; otherwise evaluate it, calling meanwhile
//	err = study.Heartbeat(ctx, turn.Trial.ID)         // ErrNotRunning: somebody else has it now
//	err = study.Finish(ctx, turn.Trial.ID, store.Outcome{State: search.Complete, Values: []float64{value}})
//
// and [Study.PutBack] on the way out. A trial is WAITING, then RUNNING, then COMPLETE, PRUNED or FAIL; a finished trial never changes.
//
// # Transactions
//
// Every change is one transaction. Those that number trials are serialised: by BEGIN IMMEDIATE in SQLite (with synchronous=FULL, in
// its rollback journal rather than WAL, so that a study at rest is one file), by a lock on the study's row in PostgreSQL, the
// lock that Optuna itself takes. So numbers are unique and gapless whatever mixture of Go and Python workers made them.
//
// Every operation is repeated, for the time of [WithPatience], when the server is lost or a lock is held. Whether a commit whose
// answer was lost took place is found out by a receipt that the transaction itself stored: nothing happens twice.
// (PostgreSQL's own txid_status is no receipt: after a crash the number of a lost transaction may be given to another.)
//
// # Mixing with Python
//
// Heartbeats are Optuna's: RDBStorage(heartbeat_interval=...) and workers here see each other's. What Optuna cannot do is claim
// atomically on SQLite: two of its workers may run one WAITING trial. Mixed sweeps belong on PostgreSQL.
// Optuna 5 stores when trials started and ended in UTC, Optuna 4 in local time, both without saying so; this package does as 5.
//
// Source: optuna 5.0.0 and 4.9.0, storage schema version 12 (alembic v3.2.0.a) in both, read from databases they made;
// testdata/dump_schema.py makes the dumps that the tests compare with.
package store
