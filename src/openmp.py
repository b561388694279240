"""Let the threads of OpenMP that wait sleep: imported before what loads it, scikit-learn, LightGBM, XGBoost, treelite.

A thread that waits for the others of a fit spins, and where other processes keep the cores busy it takes the time that
those others need. Read once, when the library loads; what the environment says already stays.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
