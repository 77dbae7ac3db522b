"""The tests: ``unit`` of pure code, ``functional`` over HTTP, ``contract`` for the whole."""
