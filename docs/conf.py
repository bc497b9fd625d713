"""The site: `make docs` builds it by Sphinx and MyST, and fails at a link or an anchor that leads nowhere."""

project = "ipfs_accelerate_py"
author = "ipfs_accelerate_py maintainers"
project_copyright = author
extensions = ["myst_parser"]
myst_heading_anchors = 4  # as where the Markdown is read in a repository: any heading can be linked to
exclude_patterns = ["build", "requirements.txt", "constraints.txt"]
nitpicky = True
html_theme = "furo"
html_title = project
html_show_sourcelink = False
html_copy_source = False
