"""How the score is calibrated: `make calibrate`. Not a part of what is installed."""
