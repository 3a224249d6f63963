{{ party_warning(warning_signals().keys() | list) }}
