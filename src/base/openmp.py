"""Let the threads of OpenMP that wait sleep: imported before what loads it, scikit-learn, LightGBM, XGBoost, treelite.

A thread that waits for the others of a fit spins, and where other processes keep the cores busy it takes the time that
those others need. A thread that sleeps at once makes a fit on idle cores twice as slow, so it spins for some
microseconds first. Read once, when the library loads; what the environment says already stays.
"""

import os

# GNU's OpenMP spins 300,000 rounds by itself, none where the policy alone is PASSIVE.
SPIN_ROUNDS = "1000"

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_ROUNDS)
