"""A finding of the gate, the monitor, the leak checks or the doctor."""
