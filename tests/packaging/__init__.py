"""Both distributions as users get them: built, and installed where there is no checkout."""
