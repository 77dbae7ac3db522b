"""The tests: `unit` for pure code, `functional` through HTTP, `contract` for what holds everywhere."""
