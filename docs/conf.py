"""Sphinx's configuration: ``make docs`` builds docs/ as a site."""

project = "ar_targets"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
# Headings can be linked to as on the forges that show these files.
myst_heading_anchors = 3
html_theme = "furo"
html_title = "ar_targets"
# Nothing from another host.
html_theme_options = {"light_css_variables": {"font-stack": "system-ui, sans-serif"}}
html_show_sphinx = False
html_copy_source = False
