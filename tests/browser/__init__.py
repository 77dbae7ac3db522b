"""The admin panel, and the pages for developers, in a real browser, as people use them."""
