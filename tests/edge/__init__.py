"""nginx with the configuration that is shipped, in front of the production server."""
