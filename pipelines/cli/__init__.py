"""The `zhongtai` command: one module per group of subcommands, nothing that a module below could do."""
