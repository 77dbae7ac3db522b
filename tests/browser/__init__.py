"""The admin panel in a real browser, as people use it."""
