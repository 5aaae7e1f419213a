"""Build hook: point the `animemorph` command at the name that the package has in each kind of build."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommandHook(BuildHookInterface[Any]):
    """The wheel installs the folder `pipeline` as the package `animemorph`; a checkout imports it as `pipeline`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  (hatchling's interface)
        """Let the command of an editable install import `pipeline`, which is the name in the checkout."""
        if version == "editable":
            scripts = self.metadata.core.scripts
            for name, target in scripts.items():
                scripts[name] = target.replace("animemorph.", "pipeline.", 1)
