"""Makes what an `adhoc_tool` runs one of its dependencies for Pants' change detection."""
