"""ar_targets: a server for the projects and image targets of AR applications."""
