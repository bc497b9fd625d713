"""Switching by hand, under the names of the first version: `apply restore disable get_status should_patch`."""

from __future__ import annotations

from .activation import apply, disable, get_status, restore, should_patch

__all__ = ["apply", "disable", "get_status", "restore", "should_patch"]
