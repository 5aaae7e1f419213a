"""Speed and quality of what the project claims; each module runs alone."""
