"""Console scripts. Each takes the ini file, as the server does."""
