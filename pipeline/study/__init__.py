"""The study that this project reproduces: its claims, how they are measured, and the document of the results."""
