"""How well the monitor judges: detection and diagnosis over simulated and recorded engines, scored against labels."""
