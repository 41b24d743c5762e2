# table.awk: tables of what the bench printed, for a terminal or the README.
#
# Takes the bench's lines. Parts fill and proxy become a table for each distance,
# with and without TLS: seconds, or milliseconds, of each tool; "/mbsync" is our
# time by that of mbsync. Where a tool was measured twice under the same
# conditions the last one counts. Lines have at most 80 characters.

BEGIN {
	short["dovecot-migration"] = "ours"
	short["doveadm-tuned"] = "tuned"
	short["doveadm-recipe"] = "recipe"
	short["login-proxy"] = "proxy"
}

function keys(	i, at) {
	delete value
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		value[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
}

# Keeps names in the order in which they came.
function add(list, name) {
	if (!((list, name) in seen)) {
		seen[list, name] = 1
		names[list, ++count[list]] = name
	}
}

function put(table, row, column, text) {
	add("tables", table)
	add("rows" table, row)
	add("columns" table, column)
	cell[table, row, column] = text
}

function name_of(tool) {
	return tool in short ? short[tool] : tool
}

function distance() {
	return "RTT " value["rtt_ms"] " ms" \
		(value["tls"] == "yes" ? ", over TLS" : "")
}

function fill(	row, table) {
	table = "Full copy, seconds, " distance()
	row = value["corpus"] ", " value["store"]
	if ("tool" in value) {
		put(table, row, name_of(value["tool"]),
		    sprintf("%.2f", value["wall_s"]))
	} else if (sub(/^dovecot-migration\//, "", value["ratio"]) &&
		   value["ratio"] != "doveadm-recipe") {
		put(table, row, "/" name_of(value["ratio"]), value["value"])
	}
}

# Ours is there twice: with mailboxes that are remote and with filled ones.
function proxy(	i, table, step, ms, column) {
	table = "A client's view, milliseconds, median/p99, " distance()
	column = value["tool"] == "dovecot-migration" ? \
		"ours-" value["state"] : name_of(value["tool"])
	sub(/^ours-remote/, "ours", column)
	sub(/^ours-/, "", column)
	for (i = 2; i <= NF; i++) {
		step = $i
		if (sub(/_p99_ms=.*/, "", step) == 0)
			continue
		ms = value[step "_ms"] + 0
		put(table, step, column, sprintf(ms < 100 ? "%.1f/%.0f" : \
			"%.0f/%.0f", ms, value[step "_p99_ms"]))
	}
}

function width(table, column,	r, w, text) {
	w = length(column)
	for (r = 1; r <= count["rows" table]; r++) {
		text = cell[table, names["rows" table, r], column]
		if (length(text) > w)
			w = length(text)
	}
	return w
}

function print_row(table, row, is_head,	c, column, line, text) {
	line = sprintf("    %-15s", row)
	for (c = 1; c <= count["columns" table]; c++) {
		column = names["columns" table, c]
		text = is_head ? column : cell[table, row, column]
		line = line sprintf("  %" width(table, column) "s",
				    text == "" ? "-" : text)
	}
	print line
}

/^bench: part=fill / && !/ users=/ {
	keys()
	fill()
}
/^bench: part=proxy tool=/ {
	keys()
	proxy()
}
END {
	for (t = 1; t <= count["tables"]; t++) {
		table = names["tables", t]
		print "\n" table "\n"
		print_row(table, "", 1)
		for (r = 1; r <= count["rows" table]; r++)
			print_row(table, names["rows" table, r], 0)
	}
}
