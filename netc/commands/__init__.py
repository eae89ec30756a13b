"""The commands, one file each; `netc.main` finds them by name when they are called."""
