"""Options that many commands share."""

from pathlib import Path

import click

data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where AgentPane keeps its data; else AGENTPANE_DATA_DIR, else the user's data folder.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
