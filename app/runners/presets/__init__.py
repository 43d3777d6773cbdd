"""Programs that we know how to put to work: what starts them, how to get them, how one signs in to them."""

from app.runners.presets.known import PRESETS, Preset, preset_of

__all__ = ["PRESETS", "Preset", "preset_of"]
