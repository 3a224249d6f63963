-- As int_party_warning, by the signals of the bank's own data alone: for uses that nothing else may decide on.
{{ party_warning(own_warning_signals()) }}
